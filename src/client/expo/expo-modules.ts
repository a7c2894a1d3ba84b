/** As far as tracking uses them: expo-location, expo-task-manager, AsyncStorage, React Native's AppState, expo-battery. */

export interface ExpoPermission {
  granted: boolean;
  /** False: only the phone's settings can change it. */
  canAskAgain: boolean;
}

export interface ExpoLocationPermission extends ExpoPermission {
  ios?: { accuracy: 'full' | 'reduced' } | undefined;
  android?: { accuracy: 'fine' | 'coarse' | 'none' } | undefined;
}

/** Of Android's foreground service, which keeps positions coming while the app is in the background. */
export interface TrackingNotification {
  notificationTitle: string;
  notificationBody: string;
  /** #RRGGBB or #AARRGGBB. */
  notificationColor?: string;
}

export interface ExpoLocationUpdates {
  accuracy: number;
  timeInterval: number;
  distanceInterval: number;
  pausesUpdatesAutomatically: boolean;
  showsBackgroundLocationIndicator: boolean;
  foregroundService: TrackingNotification;
}

export interface ExpoLocation {
  readonly Accuracy: { readonly High: number };
  hasServicesEnabledAsync(): Promise<boolean>;
  getForegroundPermissionsAsync(): Promise<ExpoLocationPermission>;
  requestForegroundPermissionsAsync(): Promise<ExpoLocationPermission>;
  getBackgroundPermissionsAsync(): Promise<ExpoPermission>;
  requestBackgroundPermissionsAsync(): Promise<ExpoPermission>;
  startLocationUpdatesAsync(task: string, options: ExpoLocationUpdates): Promise<void>;
  hasStartedLocationUpdatesAsync(task: string): Promise<boolean>;
  stopLocationUpdatesAsync(task: string): Promise<void>;
}

export interface ExpoTaskBody {
  /** Of location updates: `{ locations }`; absent with an error. */
  data: unknown;
  error: { code: string | number; message: string } | null;
}

export interface ExpoTaskManager {
  defineTask(task: string, executor: (body: ExpoTaskBody) => Promise<unknown>): void;
}

export interface PersistentStorage {
  getItem(key: string): Promise<string | null>;
  setItem(key: string, value: string): Promise<void>;
  removeItem(key: string): Promise<void>;
}

export interface ReactNativeAppState {
  addEventListener(type: 'change', listener: (state: string) => void): unknown;
}

export interface ExpoBattery {
  isLowPowerModeEnabledAsync(): Promise<boolean>;
}
