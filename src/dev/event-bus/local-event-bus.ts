/** A local EventBridge: PutEvents over HTTP, as the AWS SDK speaks it. Uses only Node.js. */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { entryError, isObject, readEntries, type EntryError, type PutEventsEntry } from './put-events.js';

export interface ReceivedEvent {
  /** Counts up from 1 in the order of arrival. */
  number: number;
  receivedAt: string;
  /** EventBridge's id; the sender's `eventId` is in the detail. */
  id: string;
  bus: string;
  source: string;
  detailType: string;
  detail: Record<string, unknown>;
}

/** What the bus does with a call instead of accepting it. */
export type Trouble =
  /** Answers with an HTTP error and accepts nothing. */
  | { kind: 'error'; status: number; code: string }
  /** Accepts nothing and never answers. */
  | { kind: 'hang' }
  /** Accepts nothing and closes the connection. */
  | { kind: 'close' }
  /** Accepts nothing and answers 200 with this body, as a proxy or another service would. */
  | { kind: 'answer'; body: object }
  /** Accepts the events, but the answer is lost. */
  | { kind: 'lose-answer' }
  /** Refuses the entries that the function selects, and accepts the others. */
  | { kind: 'refuse'; code: string; refuses: (event: IncomingEvent, index: number) => boolean };

export type IncomingEvent = Omit<ReceivedEvent, 'number' | 'receivedAt' | 'id'>;

/** Decides on each call; undefined: no trouble. */
export type TroubleMaker = (entries: PutEventsEntry[]) => Trouble | undefined;

export interface LocalEventBusOptions {
  /** Default: any free port. */
  port?: number;
  /** Default: 127.0.0.1. */
  host?: string;
  /** How many events it remembers; default: 10,000. */
  keep?: number;
}

export interface LocalEventBus {
  /** For AWS_ENDPOINT_URL_EVENTBRIDGE. */
  url: string;
  /** The events it remembers, oldest first. */
  received(): readonly ReceivedEvent[];
  /** Calls to PutEvents so far, including failed ones. */
  calls(): number;
  /** Calls the listener with each event; the returned function unsubscribes. */
  onEvent(listener: (event: ReceivedEvent) => void): () => void;
  /** The next calls get this trouble. */
  failNext(trouble: Trouble, times?: number): void;
  /** This function decides on every call after those of `failNext`; undefined ends it. */
  failWhile(maker: TroubleMaker | undefined): void;
  /** Closes every connection, including hanging ones. */
  stop(): Promise<void>;
}

/** Errors of EventBridge itself. */
export const throttled: Trouble = { kind: 'error', status: 400, code: 'ThrottlingException' };
export const internalFailure: Trouble = { kind: 'error', status: 500, code: 'InternalException' };

export async function startLocalEventBus(options: LocalEventBusOptions = {}): Promise<LocalEventBus> {
  const memory = new EventMemory(options.keep ?? 10_000);
  const pending: Trouble[] = [];
  let maker: TroubleMaker | undefined;
  let calls = 0;

  const server = createServer((request, response) => {
    const decide: TroubleMaker = (entries) => {
      calls += 1;
      return pending.shift() ?? maker?.(entries);
    };
    answer(request, response, memory, decide).catch(() => request.socket.destroy());
  });
  const host = options.host ?? '127.0.0.1';
  await once(server.listen(options.port ?? 0, host), 'listening');

  return {
    url: `http://${host}:${(server.address() as AddressInfo).port}`,
    received: () => memory.events,
    calls: () => calls,
    onEvent: (listener) => memory.listen(listener),
    failNext: (trouble, times = 1) => void pending.push(...Array<Trouble>(times).fill(trouble)),
    failWhile: (newMaker) => {
      maker = newMaker;
    },
    stop: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

class EventMemory {
  readonly #keep: number;
  #events: ReceivedEvent[] = [];
  #last = 0;
  readonly #listeners = new Set<(event: ReceivedEvent) => void>();

  constructor(keep: number) {
    this.#keep = keep;
  }

  get events(): ReceivedEvent[] {
    return this.#events.slice(-this.#keep);
  }

  add(incoming: IncomingEvent): string {
    this.#last += 1;
    const event = { number: this.#last, receivedAt: new Date().toISOString(), id: randomUUID(), ...incoming };
    this.#events.push(event);
    // Rarely, because it copies the whole list.
    if (this.#events.length >= 2 * this.#keep) this.#events = this.events;
    for (const listener of this.#listeners) listener(event);
    return event.id;
  }

  listen(listener: (event: ReceivedEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  memory: EventMemory,
  decide: TroubleMaker,
): Promise<void> {
  const call = `${request.method} ${request.url?.split('?')[0]}`;
  if (call === 'GET /events') reply(response, 200, { events: memory.events });
  else if (call === 'GET /health') reply(response, 200, { status: 'ok' });
  else if (request.method === 'POST' && request.headers['x-amz-target'] === 'AWSEvents.PutEvents') {
    putEvents(await text(request), response, memory, decide);
  } else {
    refuse(response, 404, 'UnknownOperationException', 'Supported: PutEvents, GET /events, GET /health.');
  }
}

function putEvents(body: string, response: ServerResponse, memory: EventMemory, decide: TroubleMaker): void {
  const entries = readEntries(body);
  const trouble = decide(Array.isArray(entries) ? entries : []);
  switch (trouble?.kind) {
    case 'hang':
      return;
    case 'close':
      response.destroy();
      return;
    case 'error':
      refuse(response, trouble.status, trouble.code, 'As asked of the local event bus.');
      return;
    case 'answer':
      reply(response, 200, trouble.body);
      return;
    case 'lose-answer':
    case 'refuse':
    case undefined:
      break;
  }
  if (!Array.isArray(entries)) {
    refuse(response, entries.status, entries.code, entries.message);
    return;
  }
  const results = entries.map((entry, index) => takeEntry(entry, index, memory, trouble));
  if (trouble?.kind === 'lose-answer') {
    response.destroy();
    return;
  }
  const failed = results.filter((result) => 'ErrorCode' in result).length;
  reply(response, 200, { FailedEntryCount: failed, Entries: results });
}

function takeEntry(
  entry: PutEventsEntry,
  index: number,
  memory: EventMemory,
  trouble: Trouble | undefined,
): { EventId: string } | EntryError {
  const error = entryError(entry);
  if (error) return error;
  const detail: unknown = JSON.parse(String(entry.Detail));
  const event: IncomingEvent = {
    bus: typeof entry.EventBusName === 'string' ? entry.EventBusName : 'default',
    source: String(entry.Source),
    detailType: String(entry.DetailType),
    detail: isObject(detail) ? detail : {},
  };
  if (trouble?.kind === 'refuse' && trouble.refuses(event, index)) {
    return { ErrorCode: trouble.code, ErrorMessage: 'As asked of the local event bus.' };
  }
  return { EventId: memory.add(event) };
}

function refuse(response: ServerResponse, status: number, code: string, message: string): void {
  // The names of the fields are those of AWS JSON 1.1.
  reply(response, status, { __type: code, message });
}

function reply(response: ServerResponse, status: number, body: object): void {
  const headers = { 'content-type': 'application/json', 'x-amzn-requestid': randomUUID() };
  response.writeHead(status, headers).end(JSON.stringify(body));
}
