import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Incoming } from '../support/connections.js';
import { seededRandom, type Random } from '../../src/dev/simulation/random.js';
import type { Call, Caller, HeardAnswer } from './contract/calls.js';
import { metersNorthOf } from './contract/geometry.js';
import { ordinaryRules, type Rules } from './contract/rules.js';
import type { PlatformSession } from './contract/state.js';
import { dataOf, type JourneyOperation } from './journey-object.js';
import type { ServiceUnderModel } from './service-under-model.js';

const HOME = { latitude: 12.9716, longitude: 77.5946, address: '12 Church Street' };
const CLIENTS = 6;
const OPERATIONS_A_SESSION = 120;
const LONGEST_PAUSE_MS = 8;
const WAIT_SECONDS = 1;
const HANG_UP_WITHIN_MS = 12;
/** Of the calls that change something: so many are not waited for to the end. */
const UNHEARD_SHARE = 0.015;

/** Short, so that updates of clients at once meet the limit and get through it. */
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

/** Several phones and browsers at the same session, each with one call after the other. */
export class SessionUnderLoad {
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
  /** The last ETag that anybody heard, and the state that it names. */
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
    const incoming = hangsUp
      ? await this.#service.sendAndHangUp(call, headers, instance, this.#random() * HANG_UP_WITHIN_MS)
      : await this.#service.send(call, headers, instance);
    const answer = heardOf(incoming);
    const answeredAt = answer === null ? Infinity : performance.now();
    this.operations.push({
      ...{ client, call, answer, invokedAt, answeredAt, fromMs },
      ...{ toMs: answer === null ? Infinity : Date.now() },
    });
    this.#remember(call, answer);
  }

  #remember(call: Call, answer: HeardAnswer | null): void {
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

  /** So near each other that none is implausible; one end of the street is near enough to arrive. */
  #position() {
    const meters = this.#random() < 0.7 ? 120.13 : 170.41;
    const chance = this.#random();
    // Mostly a new one; at times the last again, or one from before.
    const sequence = chance < 0.7 ? ++this.#sequence : Math.max(0, this.#sequence - (chance < 0.9 ? 0 : 2));
    const accuracy = this.#random() < 0.9 ? 30 : 1_500;
    return { sessionId: this.session.sessionId, ...metersNorthOf(HOME, meters), accuracy, sequence };
  }

  #kind(): Kind {
    let chance = this.#random() * 100;
    return shares.find(([, share]) => (chance -= share) < 0)?.[0] ?? 'live';
  }
}

/** A 503 says that nobody knows what became of the call, as no answer does. */
function heardOf(incoming: Incoming): HeardAnswer | null {
  if (incoming.kind !== 'answer' || incoming.status === 503) return null;
  const { status, headers, body } = incoming;
  return { status, headers, body: body === '' ? null : (JSON.parse(body) as unknown) };
}

/** As the model names the state that is shown. */
function versionIn(data: Record<string, unknown>): string {
  const at = (name: string) => Date.parse(String(data[name]));
  if (data['isActive'] === true) {
    return `active ${at('startedAt')} ${data['location'] === null ? 'nowhere' : at('lastUpdate')}`;
  }
  return data['endedAt'] === undefined ? `none ${String(data['trainerId'])}` : `ended ${at('endedAt')}`;
}

export interface ConcurrencyOptions {
  operations: number;
  instances: number;
  seed: number;
  /** How many sessions there are calls to at the same time. */
  atOnce: number;
  onHistory: (history: SessionHistory) => void;
}

/** One session's history after the other, several at once, until so many calls were made. */
export async function runConcurrentClients(
  service: ServiceUnderModel,
  { operations, instances, seed, atOnce, onHistory }: ConcurrencyOptions,
): Promise<void> {
  let left = Math.ceil(operations / OPERATIONS_A_SESSION);
  let number = seed;
  const oneAfterTheOther = async () => {
    while (left-- > 0) {
      const load = new SessionUnderLoad(service, instances, number++);
      await service.addSessions([load.session]);
      onHistory(await load.run());
      await service.removeSessions([load.session]);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, oneAfterTheOther));
}
