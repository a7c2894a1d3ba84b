import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { seededRandom, type Random } from '../../src/dev/simulation/random.js';
import type { Call, Caller, ReceivedAnswer } from './contract/calls.js';
import { metersNorthOf } from './contract/geometry.js';
import { ordinaryRules, type Rules } from './contract/rules.js';
import type { PlatformSession } from './contract/state.js';
import { dataOf, type JourneyOperation } from './journey-object.js';
import type { ServiceUnderModel } from './service-under-model.js';

const HOME = { latitude: 12.9716, longitude: 77.5946, address: '12 Church Street' };
const CLIENTS = 6;
export const OPERATIONS_A_SESSION = 120;
const LONGEST_PAUSE_MS = 8;
const WAIT_SECONDS = 1;
const HANG_UP_WITHIN_MS = 12;
/** Of the calls that change something: the share whose connection is closed before the answer. */
const UNHEARD_SHARE = 0.015;

/** A short interval, so that concurrent updates are both refused and accepted. */
export const hurriedRules: Rules = { ...ordinaryRules, updateIntervalMs: 40, updateToleranceMs: 8 };
export const hurriedSettings = { UPDATE_INTERVAL_MS: '40', UPDATE_TOLERANCE_MS: '8' };

export interface SessionHistory {
  session: PlatformSession;
  operations: JourneyOperation[];
}

type Kind = 'start' | 'update' | 'live' | 'wait' | 'arrived' | 'stop' | 'stopByAdmin' | 'stopByStranger';
const shares: [kind: Kind, share: number][] = [
  ['start', 18],
  ['update', 38],
  ['live', 16],
  ['wait', 6],
  ['arrived', 10],
  ['stop', 8],
  ['stopByAdmin', 2],
  ['stopByStranger', 2],
];

/** Several clients of one session, each with one call at a time. */
export class ConcurrentClients {
  readonly session: PlatformSession = {
    ...{ sessionId: randomUUID(), trainerId: randomUUID(), studentId: randomUUID() },
    ...{ status: 'scheduled', home: HOME },
  };
  readonly operations: JourneyOperation[] = [];
  readonly #service: ServiceUnderModel;
  readonly #instances: number;
  readonly #random: Random;
  readonly #admin: Caller = { userId: randomUUID(), role: 'admin' };
  readonly #stranger: Caller = { userId: randomUUID(), role: 'trainer' };
  #made = 0;
  #sequence = 0;
  /** The last ETag and the model's name of the state. */
  #etag: { etag: string; version: string } | undefined;

  constructor(service: ServiceUnderModel, instances: number, seed: number) {
    this.#service = service;
    this.#instances = instances;
    this.#random = seededRandom(seed);
  }

  async run(): Promise<SessionHistory> {
    await Promise.all(Array.from({ length: CLIENTS }, (_, client) => this.#client(client)));
    return { session: this.session, operations: this.operations };
  }

  async #client(client: number): Promise<void> {
    while (this.#made++ < OPERATIONS_A_SESSION) {
      await pause(this.#random() * LONGEST_PAUSE_MS);
      await this.#operation(client, this.#kind());
    }
  }

  async #operation(client: number, kind: Kind): Promise<void> {
    const etag = kind === 'wait' || (kind === 'live' && this.#random() < 0.3) ? this.#etag : undefined;
    const call = this.#call(kind, etag?.version);
    const headers = {
      ...('key' in call && call.key !== undefined && { 'idempotency-key': call.key }),
      ...(etag && { 'if-none-match': etag.etag }),
      ...(etag && kind === 'wait' && { prefer: `wait=${WAIT_SECONDS}` }),
    };
    const instance = Math.floor(this.#random() * this.#instances);
    const hangsUp = call.kind !== 'live' && this.#random() < UNHEARD_SHARE;
    const fromMs = Date.now();
    const invokedAt = performance.now();
    const hangUpAfterMs = hangsUp ? this.#random() * HANG_UP_WITHIN_MS : undefined;
    const received = await this.#service.send(call, headers, instance, hangUpAfterMs);
    // After a 503 it is as unknown as without an answer whether the call was carried out.
    const answer = received?.status === 503 ? null : received;
    const answeredAt = answer === null ? Infinity : performance.now();
    this.operations.push({
      ...{ client, call, answer, invokedAt, answeredAt, fromMs },
      ...{ toMs: answer === null ? Infinity : Date.now() },
    });
    this.#remember(call, answer);
  }

  #remember(call: Call, answer: ReceivedAnswer | null): void {
    const etag = answer?.headers['etag'];
    if (call.kind !== 'live' || answer?.status !== 200 || typeof etag !== 'string') return;
    this.#etag = { etag, version: versionIn(dataOf(answer)) };
  }

  #call(kind: Kind, knows: string | undefined): Call {
    const { sessionId, trainerId, studentId } = this.session;
    const trainer: Caller = { userId: trainerId, role: 'trainer' };
    const key = this.#random() < 0.5 ? `key-${Math.floor(this.#random() * 4)}` : undefined;
    switch (kind) {
      case 'start':
      case 'arrived':
      case 'stop':
        return { kind, sessionId, caller: trainer, key };
      case 'stopByAdmin':
        return { kind: 'stop', sessionId, caller: this.#admin, key };
      case 'stopByStranger':
        return { kind: 'stop', sessionId, caller: this.#stranger, key };
      case 'live':
      case 'wait':
        return { kind: 'live', sessionId, caller: { userId: studentId, role: 'student' }, knows };
      case 'update':
        return { kind: 'update', sessionId, caller: trainer, body: this.#position() };
    }
  }

  /** Two places so near each other that no move is implausible; one is near enough to arrive. */
  #position() {
    const meters = this.#random() < 0.7 ? 120.13 : 170.41;
    const chance = this.#random();
    // Mostly a new sequence, sometimes the last or an older one.
    const sequence = chance < 0.7 ? ++this.#sequence : Math.max(0, this.#sequence - (chance < 0.9 ? 0 : 2));
    const accuracy = this.#random() < 0.9 ? 30 : 1_500;
    return { sessionId: this.session.sessionId, ...metersNorthOf(HOME, meters), accuracy, sequence };
  }

  #kind(): Kind {
    let chance = this.#random() * 100;
    return shares.find(([, share]) => (chance -= share) < 0)?.[0] ?? 'live';
  }
}

/** The model's name for the shown state. */
function versionIn(data: Record<string, unknown>): string {
  const at = (name: string) => Date.parse(String(data[name]));
  if (data['isActive'] === true) {
    return `active ${at('startedAt')} ${data['location'] === null ? 'nowhere' : at('lastUpdate')}`;
  }
  return data['endedAt'] === undefined ? `none ${String(data['trainerId'])}` : `ended ${at('endedAt')}`;
}
