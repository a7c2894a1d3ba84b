import type { PhonePosition } from '../../src/client/index.js';
import type {
  ExpoLocation,
  ExpoLocationPermission,
  ExpoLocationUpdates,
  ExpoTaskBody,
  JourneyTrackingOptions,
} from '../../src/client/expo/index.js';

type Task = (body: ExpoTaskBody) => Promise<unknown>;

/** The modules of Expo and React Native as documented; storage and registered tasks survive a restart of the app. */
export class FakePhone {
  permission: ExpoLocationPermission = {
    ...{ granted: true, canAskAgain: true, ios: { accuracy: 'full' as const } },
  };
  background = { granted: true, canAskAgain: true };
  hasLocationOn = true;
  hasBatterySaver = false;
  readonly stored = new Map<string, string>();
  /** The registered tasks with their options. */
  readonly updates = new Map<string, ExpoLocationUpdates>();
  readonly asked: string[] = [];
  updatesStarted = 0;
  updatesError: Error | undefined;
  #tasks = new Map<string, Task>();
  #listeners: ((state: string) => void)[] = [];

  /** What a new process of the app gets. */
  launch(): Omit<JourneyTrackingOptions, 'api'> {
    const tasks = (this.#tasks = new Map<string, Task>());
    const listeners = (this.#listeners = [] as ((state: string) => void)[]);
    return {
      location: this.#location(),
      taskManager: { defineTask: (name, task) => void tasks.set(name, task) },
      storage: {
        getItem: (key) => Promise.resolve(this.stored.get(key) ?? null),
        setItem: (key, value) => Promise.resolve(void this.stored.set(key, value)),
        removeItem: (key) => Promise.resolve(void this.stored.delete(key)),
      },
      appState: { addEventListener: (_type, listener) => listeners.push(listener) },
      battery: { isLowPowerModeEnabledAsync: () => Promise.resolve(this.hasBatterySaver) },
      notification: { notificationTitle: 'On the way', notificationBody: 'Your student sees where you are.' },
    };
  }

  /** Resolves when the task is over; an unregistered one gets nothing. */
  async deliver(...locations: PhonePosition[]): Promise<void> {
    await this.#run({ data: { locations }, error: null });
  }

  /** As iOS does when it may not locate. */
  async fail(): Promise<void> {
    await this.#run({ data: undefined, error: { code: 1, message: 'kCLErrorDomain error 1' } });
  }

  openApp(): void {
    for (const listener of this.#listeners) listener('active');
  }

  async #run(body: ExpoTaskBody): Promise<void> {
    await Promise.all([...this.updates.keys()].map(async (name) => this.#tasks.get(name)?.(body)));
  }

  #location(): ExpoLocation {
    const asking = <Answer>(what: string, answer: () => Answer) => {
      this.asked.push(what);
      return Promise.resolve(answer());
    };
    return {
      Accuracy: { High: 4 },
      hasServicesEnabledAsync: () => Promise.resolve(this.hasLocationOn),
      getForegroundPermissionsAsync: () => Promise.resolve(this.permission),
      requestForegroundPermissionsAsync: () => asking('foreground', () => this.permission),
      getBackgroundPermissionsAsync: () => Promise.resolve(this.background),
      requestBackgroundPermissionsAsync: () => asking('background', () => this.background),
      hasStartedLocationUpdatesAsync: (name) => Promise.resolve(this.updates.has(name)),
      startLocationUpdatesAsync: (name, options) => {
        if (this.updatesError) return Promise.reject(this.updatesError);
        if (!this.permission.granted)
          return Promise.reject(new Error('Not authorized to use location services'));
        this.updatesStarted += 1;
        return Promise.resolve(void this.updates.set(name, options));
      },
      stopLocationUpdatesAsync: (name) =>
        this.updates.delete(name) ? Promise.resolve() : Promise.reject(new Error(`Task '${name}' not found`)),
    };
  }
}
