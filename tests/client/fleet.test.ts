import { randomUUID } from 'node:crypto';
import { JourneyApi, TrainerTracker } from '../../src/client/index.js';
import { seededRandom } from '../../src/dev/simulation/random.js';
import { fix } from './scripted-service.js';
import { VirtualClock } from '../../src/client/testing/virtual-clock.js';

const INTERVAL_MS = 5_000;
const TOLERANCE_MS = 1_000;
const OUTAGE_MS = 60_000;

type Outage = 'no network' | 'nothing comes back' | '503 with Retry-After: 1';

/** Phones of a fleet against the contract's rate limit (GCRA), on a virtual clock: minutes in a second. */
class Fleet {
  readonly clock = new VirtualClock();
  readonly requestsBySecond = new Map<number, number>();
  readonly trackers: TrainerTracker[] = [];
  readonly apis: JourneyApi[] = [];
  limited = 0;
  outage: Outage | undefined;
  readonly #beganMs = this.clock.nowMs();
  readonly #random = seededRandom(500);
  readonly #arrivalMs = new Map<string, number>();
  #isPushing = true;

  constructor(readonly size: number) {}

  /** Started one after the other within an interval, each pushing its position once a second. */
  async start(): Promise<void> {
    for (let index = 0; index < this.size; index++) {
      const api = new JourneyApi({
        baseUrl: 'https://api.example.com',
        getToken: () => 'token',
        fetch: ((url: string, init: RequestInit) => this.#fetch(url, init)) as typeof fetch,
        clock: this.clock,
        random: this.#random,
      });
      const tracker = new TrainerTracker({ api, sessionId: randomUUID() });
      void tracker.start();
      this.apis.push(api);
      this.trackers.push(tracker);
      this.#push(tracker);
      await this.clock.advance(INTERVAL_MS / this.size);
    }
  }

  stop(): void {
    this.#isPushing = false;
    for (const tracker of this.trackers) tracker.close();
  }

  get second(): number {
    return Math.floor((this.clock.nowMs() - this.#beganMs) / 1_000);
  }

  rates(from: number, until: number): number[] {
    return Array.from({ length: until - from }, (_, index) => this.requestsBySecond.get(from + index) ?? 0);
  }

  #push(tracker: TrainerTracker): void {
    if (!this.#isPushing) return;
    void tracker.push(fix());
    this.clock.after(1_000, () => {
      this.#push(tracker);
    });
  }

  async #fetch(url: string, init: RequestInit): Promise<Response> {
    this.requestsBySecond.set(this.second, (this.requestsBySecond.get(this.second) ?? 0) + 1);
    const outage = this.outage;
    if (outage === 'nothing comes back') return new Promise(() => undefined);
    await new Promise<void>((resolve) => this.clock.after(40 + this.#random() * 120, resolve));
    if (outage === 'no network') throw new TypeError('fetch failed');
    if (outage !== undefined) return answer(503, { error: { code: 'STATE_UNAVAILABLE' } }, '1');
    const now = new Date(this.clock.nowMs()).toISOString();
    const expiresAt = new Date(this.clock.nowMs() + 3_600_000).toISOString();
    if (url.endsWith('/start-journey')) {
      return answer(201, { success: true, data: { startedAt: now, expiresAt, nextUpdateMs: INTERVAL_MS } });
    }
    const { sessionId } = JSON.parse(init.body as string) as { sessionId: string };
    const arrivalMs = this.#arrivalMs.get(sessionId) ?? 0;
    if (this.clock.nowMs() < arrivalMs - TOLERANCE_MS) {
      this.limited += 1;
      return answer(429, { error: { code: 'RATE_LIMITED' } }, '5');
    }
    this.#arrivalMs.set(sessionId, Math.max(this.clock.nowMs(), arrivalMs) + INTERVAL_MS);
    return answer(201, { success: true, data: { timestamp: now, ttl: 300, nextUpdateMs: INTERVAL_MS } });
  }
}

function answer(status: number, body: object, retryAfter?: string): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: retryAfter ? { 'Retry-After': retryAfter } : {},
  });
}

/** Phones in an outage whose end no phone hears of. */
const SIZE = Number(process.env['FLEET'] ?? 100);

test.each<[number, Outage, string]>([
  [500, 'no network', 'with backOnline()'],
  [SIZE, 'no network', ''],
  [SIZE, 'nothing comes back', ''],
  [SIZE, '503 with Retry-After: 1', ''],
])(
  '%i trackers after 60 s of "%s" %s never exceed twice the normal rate and get no 429',
  async (size, outage, end) => {
    const fleet = new Fleet(size);
    const normal = size / (INTERVAL_MS / 1_000);
    await fleet.start();
    await fleet.clock.advance(20_000);
    const beganAt = fleet.second;
    fleet.outage = outage;
    await fleet.clock.advance(OUTAGE_MS);
    fleet.outage = undefined;
    const backAt = fleet.second;
    if (end !== '') for (const api of fleet.apis) api.backOnline();
    await fleet.clock.advance(90_000);
    const isTracking = fleet.trackers.filter(({ state }) => state === 'tracking').length;
    fleet.stop();

    const [before, during] = [fleet.rates(beganAt - 10, beganAt), fleet.rates(beganAt, backAt)];
    const after = fleet.rates(backAt, fleet.second);
    const line = (name: string, rates: number[]) =>
      `  ${name.padEnd(10)} peak ${Math.max(...rates)}  ${rates.slice(0, 15).join(' ')} …\n`;
    const lines = line('before', before) + line('outage', during) + line('after', after);
    process.stderr.write(`\n${outage} ${end}: requests a second, normal ${normal}\n${lines}`);
    expect(Math.max(...after)).toBeLessThanOrEqual(2 * normal);
    expect(fleet.limited).toBe(0);
    expect(isTracking).toBe(size);
    const last = after.slice(-20);
    expect(last.reduce((sum, rate) => sum + rate, 0) / last.length).toBeGreaterThan(normal * 0.9);
  },
  180_000,
);
