import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { JourneyApi, StudentWatcher, TrainerTracker } from '../../src/client/index.js';
import { home } from '../bench/bench-journeys.js';
import { say, type SessionRow, type Stack } from '../support/stack.js';
import type { Balancer } from './balancer.js';

const START_WITHIN_MS = 40_000;
const PUSH_EVERY_MS = 1_000;
/** Towards the home, and near enough for the ordinary update interval. */
const FROM_METERS = 3_500;
const METERS_PER_SECOND = 8;
const METERS_PER_DEGREE = 111_195;

/** What all phones saw in one second. */
export interface Second {
  requests: number;
  served: number;
  refused: number;
  unanswered: number;
}

/** Trainers and their students, each with the SDK. */
export class HerdPhones {
  readonly seconds: Second[] = [];
  readonly statuses = new Map<string, number>();
  /** When each phone was served last. */
  readonly #servedAtMs: number[] = [];
  readonly #balancer: Balancer;
  readonly #beganMs = performance.now();
  readonly #closes: (() => void)[] = [];

  constructor(balancer: Balancer) {
    this.#balancer = balancer;
  }

  async start(stack: Stack, phones: number): Promise<void> {
    const sessions = Array.from({ length: phones / 2 }, () => ({
      ...{ sessionId: randomUUID(), trainerId: randomUUID(), studentId: randomUUID() },
      ...{ status: 'scheduled', home },
    }));
    await stack.insertSessions(sessions);
    const tokens = await Promise.all(
      sessions.map(async ({ trainerId, studentId }) => ({
        trainer: await stack.tokens.issue(trainerId, 'trainer'),
        student: await stack.tokens.issue(studentId, 'student'),
      })),
    );
    for (const [index, session] of sessions.entries()) {
      const { trainer = '', student = '' } = tokens[index] ?? {};
      this.#startTrainer(session, trainer);
      this.#startStudent(session, student);
      if (index % 500 === 499) say(`${2 * (index + 1)} phones have started`);
      await pause(START_WITHIN_MS / sessions.length);
    }
  }

  stop(): void {
    for (const close of this.#closes) close();
  }

  /** How many phones have not been served since then. */
  unserved(sinceMs: number): number {
    return this.#servedAtMs.filter((servedAtMs) => servedAtMs < sinceMs).length;
  }

  secondOf(atMs: number): number {
    return Math.floor((atMs - this.#beganMs) / 1_000);
  }

  #startTrainer({ sessionId }: SessionRow, token: string): void {
    const tracker = new TrainerTracker({ api: this.#apiOf(token), sessionId });
    void tracker.start();
    const pushes = setInterval(() => void tracker.push({ coords: this.#place() }), PUSH_EVERY_MS);
    this.#closes.push(() => {
      clearInterval(pushes);
      tracker.close();
    });
  }

  #startStudent({ sessionId }: SessionRow, token: string): void {
    const watcher = new StudentWatcher({ api: this.#apiOf(token), sessionId });
    watcher.start();
    this.#closes.push(() => {
      watcher.close();
    });
  }

  #place() {
    const meters = FROM_METERS - (METERS_PER_SECOND * (performance.now() - this.#beganMs)) / 1_000;
    const latitude = home.latitude + meters / METERS_PER_DEGREE;
    return { latitude, longitude: home.longitude, accuracy: 8, speed: METERS_PER_SECOND, heading: 180 };
  }

  #apiOf(token: string): JourneyApi {
    const phone = this.#servedAtMs.push(-Infinity) - 1;
    const send: typeof fetch = async (url, init = {}) => {
      this.#now().requests++;
      try {
        const response = await this.#send(String(url), init);
        this.#count(String(response.status));
        if (response.status < 400) {
          this.#servedAtMs[phone] = performance.now();
          this.#now().served++;
        } else this.#now().refused++;
        return response;
      } catch (error) {
        if (init.signal?.aborted !== true) {
          this.#count('no answer');
          this.#now().unanswered++;
        }
        throw error;
      }
    };
    return new JourneyApi({ baseUrl: '', getToken: () => token, fetch: send });
  }

  async #send(path: string, { method, headers, body, signal }: RequestInit): Promise<Response> {
    const answer = await this.#balancer.send(path, {
      ...{ method, body: (body ?? null) as string | null, signal: signal ?? null },
      headers: headers as Record<string, string>,
    });
    const hasBody = answer.status !== 304;
    return new Response(hasBody ? answer.text : null, { status: answer.status, headers: answer.headers });
  }

  #count(what: string): void {
    this.statuses.set(what, (this.statuses.get(what) ?? 0) + 1);
  }

  #now(): Second {
    const second = this.secondOf(performance.now());
    while (this.seconds.length <= second)
      this.seconds.push({ requests: 0, served: 0, refused: 0, unanswered: 0 });
    return this.seconds[second] as Second;
  }
}
