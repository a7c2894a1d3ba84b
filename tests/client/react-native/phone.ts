import { existsSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { createContext, Script } from 'node:vm';
import { VirtualClock } from '../../../src/client/testing/virtual-clock.js';

export interface NativeRequest {
  id: number;
  method: string;
  url: string;
  headers: [string, string][];
  body: string;
  isAborted: boolean;
}

export interface NativeAnswer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

type Load = (name: string) => Record<string, unknown>;
interface Babel {
  transformSync(code: string, options: object): { code: string };
}

const ENDINGS = ['', '.android.js', '.native.js', '.js', '.json', '/index.js'];
const NETWORK_MS = 50;

/** React Native's own JavaScript for Android on modelled native modules, with a clock that the test moves. */
export class ReactNativePhone {
  readonly clock = new VirtualClock();
  readonly requests: NativeRequest[] = [];
  /** Answers a request; undefined: nothing ever comes. */
  answer: (request: NativeRequest) => NativeAnswer | undefined = () => undefined;
  readonly #app: string;
  readonly #babel: Babel;
  readonly #context: Record<string, unknown>;
  readonly #loaded = new Map<string, { exports: Record<string, unknown> }>();
  #isInForeground = true;
  #tasks = 0;
  #overdue: (() => void)[] = [];

  /** app: a folder in which react-native is installed, with @babel/core and @react-native/babel-preset. */
  constructor(app: string) {
    this.#app = app;
    this.#babel = createRequire(join(app, 'app.js'))('@babel/core') as Babel;
    const { clock } = this;
    this.#context = createContext({
      ...{ console, __DEV__: false, nativeModuleProxy: {}, performance: { now: () => clock.nowMs() } },
      __turboModuleProxy: (name: string) => this.#nativeModules()[name] ?? null,
    }) as Record<string, unknown>;
    this.#context['global'] = this.#context;
    this.#context['now'] = () => clock.wallMs();
    this.#run('Date.now = now');
    for (const each of ['setUpGlobals', 'setUpTimers', 'setUpXHR'])
      this.load(`react-native/Libraries/Core/${each}`);
  }

  /** As an app's require. */
  readonly load: Load = (name) => this.#module(this.#resolve(name, join(this.#app, 'app.js')));

  setForeground(isInForeground: boolean): void {
    this.#isInForeground = isInForeground;
    this.#thaw();
  }

  /** A headless task: timers run until its promise settles. */
  async runTask(task: () => Promise<unknown>): Promise<void> {
    this.#tasks += 1;
    this.#thaw();
    await task();
    this.#tasks -= 1;
  }

  #thaw(): void {
    if (!this.#isInForeground && this.#tasks === 0) return;
    for (const ring of this.#overdue.splice(0)) ring();
  }

  #nativeModules(): Record<string, object> {
    const nothing = () => undefined;
    const timers = new Map<number, () => void>();
    return (this.#natives ??= {
      PlatformConstants: { getConstants: () => ({ reactNativeVersion: { major: 0, minor: 88, patch: 1 } }) },
      Networking: {
        sendRequest: (...args: unknown[]) => {
          this.#send(args);
        },
        abortRequest: (id: number) => {
          for (const each of this.requests) if (each.id === id) each.isAborted = true;
        },
        ...{ clearCookies: nothing, addListener: nothing, removeListeners: nothing },
      },
      // fetch reads answers as blobs.
      BlobModule: {
        getConstants: () => ({ BLOB_URI_SCHEME: 'content', BLOB_URI_HOST: null }),
        ...{ addNetworkingHandler: nothing, createFromParts: nothing, release: nothing },
      },
      FileReaderModule: {
        readAsText: ({ blobId }: { blobId: string }) => Promise.resolve(this.#blobs.get(blobId)),
      },
      Timing: {
        createTimer: (id: number, ms: number) => {
          const ring = () => {
            if (!this.#isInForeground && this.#tasks === 0) this.#overdue.push(ring);
            else if (timers.delete(id))
              this.#default('react-native/Libraries/Core/Timers/JSTimers')['callTimers']?.([id]);
          };
          timers.set(id, this.clock.after(ms, ring));
        },
        deleteTimer: (id: number) => {
          timers.get(id)?.();
          timers.delete(id);
        },
        setSendIdleEvents: nothing,
      },
    });
  }
  #natives: Record<string, object> | undefined;
  readonly #blobs = new Map<string, string>();

  #send([method, url, id, headers, data]: unknown[]): void {
    const body = String((data as { string?: string }).string ?? '');
    const request = { method, url, id, headers, body, isAborted: false } as NativeRequest;
    this.requests.push(request);
    const answer = this.answer(request);
    if (!answer) return;
    // Native code delivers answers whether timers run or not.
    this.clock.after(NETWORK_MS, () => {
      if (request.isAborted) return;
      const emitter = this.#default('react-native/Libraries/EventEmitter/RCTDeviceEventEmitter');
      emitter['emit']?.('didReceiveNetworkResponse', [
        request.id,
        answer.status,
        answer.headers,
        request.url,
      ]);
      const blob = { blobId: String(request.id), offset: 0, size: answer.body.length };
      this.#blobs.set(blob.blobId, answer.body);
      emitter['emit']?.('didReceiveNetworkData', [request.id, blob]);
      emitter['emit']?.('didCompleteNetworkResponse', [request.id, '', false]);
    });
  }

  #default(name: string): Record<string, (...args: unknown[]) => void> {
    return this.load(name)['default'] as Record<string, (...args: unknown[]) => void>;
  }

  #resolve(name: string, from: string): string {
    const path = name.startsWith('.') ? join(dirname(from), name) : join(this.#app, 'node_modules', name);
    const found = ENDINGS.map((ending) => path + ending).find(
      (each) => existsSync(each) && statSync(each).isFile(),
    );
    return found ?? createRequire(from).resolve(name);
  }

  #module(path: string): Record<string, unknown> {
    const loaded = this.#loaded.get(path);
    if (loaded) return loaded.exports;
    const module = { exports: {} };
    this.#loaded.set(path, module);
    const presets = [createRequire(join(this.#app, 'app.js')).resolve('@react-native/babel-preset')];
    const options = { filename: path, presets, cwd: this.#app, babelrc: false, configFile: false };
    const source = readFileSync(path, 'utf8');
    const code = path.includes('@admin-service') ? source : this.#babel.transformSync(source, options).code;
    const wrapped = this.#run(`(function (require, module, exports) {${code}\n})`, path);
    const load: Load = (name) => this.#module(this.#resolve(name, path));
    (wrapped as (...args: unknown[]) => void)(load, module, module.exports);
    return module.exports;
  }

  #run(code: string, filename = 'phone.js'): unknown {
    return new Script(code, { filename }).runInContext(this.#context);
  }
}
