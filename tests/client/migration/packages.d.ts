/** As far as the samples use them, by these packages' own declarations. `npm run test:expo-types` compiles them with those. */
declare module 'expo-location' {
  export interface LocationPermissionResponse {
    granted: boolean;
    canAskAgain: boolean;
    ios?: { scope: 'whenInUse' | 'always' | 'none'; accuracy: 'full' | 'reduced' };
    android?: { accuracy: 'fine' | 'coarse' | 'none' };
  }
  export enum Accuracy {
    High = 4,
  }
  export interface LocationTaskOptions {
    accuracy?: Accuracy;
    timeInterval?: number;
    distanceInterval?: number;
    pausesUpdatesAutomatically?: boolean;
    showsBackgroundLocationIndicator?: boolean;
    foregroundService?: { notificationTitle: string; notificationBody: string; notificationColor?: string };
  }
  export function hasServicesEnabledAsync(): Promise<boolean>;
  export function getForegroundPermissionsAsync(): Promise<LocationPermissionResponse>;
  export function requestForegroundPermissionsAsync(): Promise<LocationPermissionResponse>;
  export function getBackgroundPermissionsAsync(): Promise<LocationPermissionResponse>;
  export function requestBackgroundPermissionsAsync(): Promise<LocationPermissionResponse>;
  export function startLocationUpdatesAsync(task: string, options?: LocationTaskOptions): Promise<void>;
  export function hasStartedLocationUpdatesAsync(task: string): Promise<boolean>;
  export function stopLocationUpdatesAsync(task: string): Promise<void>;
}

declare module 'expo-task-manager' {
  export interface TaskManagerTaskBody<T> {
    data: T;
    error: { code: string | number; message: string } | null;
    executionInfo: { eventId: string; taskName: string };
  }
  export function defineTask<T = unknown>(
    task: string,
    executor: (body: TaskManagerTaskBody<T>) => Promise<unknown>,
  ): void;
}

declare module '@react-native-async-storage/async-storage' {
  const AsyncStorage: {
    getItem: (key: string) => Promise<string | null>;
    setItem: (key: string, value: string) => Promise<void>;
    removeItem: (key: string) => Promise<void>;
  };
  export default AsyncStorage;
}

declare module '@react-native-community/netinfo' {
  const NetInfo: { addEventListener(listener: (state: { isConnected: boolean | null }) => void): () => void };
  export default NetInfo;
}

declare module 'react-native' {
  import type { FC, ReactNode } from 'react';

  export const View: FC<{ children?: ReactNode }>;
  export const Text: FC<{ children?: ReactNode; accessibilityRole?: 'alert' }>;
  export const Button: FC<{ title: string; disabled?: boolean; onPress: () => void }>;
  export const Linking: { openSettings(): Promise<void> };
  export type AppStateStatus = 'active' | 'background' | 'inactive' | 'unknown' | 'extension';
  export const AppState: {
    addEventListener(type: 'change', listener: (state: AppStateStatus) => void): { remove(): void };
  };
}
