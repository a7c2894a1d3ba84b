import {
  EventBridgeClient,
  EventBridgeServiceException,
  PutEventsCommand,
  type PutEventsRequestEntry,
} from '@aws-sdk/client-eventbridge';
import { EVENT_SOURCE } from '../contract/events.js';
import type { OutboxEntry } from './event-stream.js';

export interface EventBridgeSettings {
  region: string;
  busName: string;
  /** A bus of another address, such as a local one. */
  endpoint: string | undefined;
}

export type Verdict = 'published' | { refused: string; forGood: boolean };

/** EventBridge's limits on one PutEvents call. */
export const MAX_ENTRIES = 10;
export const MAX_BYTES = 256 * 1024;
const DEADLINE_MS = 5_000;

/** Codes that a repeat of the same entry can't change. */
const REFUSED_FOR_GOOD = new Set([
  'InvalidArgument',
  'MalformedDetail',
  'InvalidSource',
  'ValidationException',
  'ValidationError',
]);

const ABOUT_THE_CALLER =
  /Throttl|AccessDenied|Token|Signature|Credential|Unrecognized|ResourceNotFound|UnknownOperation/;

export class EventBridgePublisher {
  readonly #client: EventBridgeClient;
  readonly #busName: string;

  constructor(settings: EventBridgeSettings) {
    // The relay repeats, with its own pauses: the SDK's repeats inside would only hide how it goes.
    const { region, endpoint } = settings;
    this.#client = new EventBridgeClient({
      region,
      maxAttempts: 1,
      ...(endpoint !== undefined && { endpoint }),
    });
    this.#busName = settings.busName;
  }

  /**
   * One PutEvents call with at most MAX_ENTRIES entries of at most MAX_BYTES together.
   * Returns a verdict for each entry; throws where the whole call failed, with nothing known to be published.
   */
  async publish(entries: OutboxEntry[], stopped: AbortSignal): Promise<Verdict[]> {
    const command = new PutEventsCommand({ Entries: entries.map((entry) => this.#toRequestEntry(entry)) });
    const deadline = new AbortController();
    const abort = () => {
      deadline.abort();
    };
    const timer = setTimeout(abort, DEADLINE_MS);
    // By hand: AbortSignal.any would keep each call's signal for as long as the process lives.
    stopped.addEventListener('abort', abort);
    try {
      const output = await this.#client.send(command, { abortSignal: deadline.signal });
      return entries.map((_entry, index) => {
        // Only what has an id was taken: an answer that says nothing of an entry is none.
        const { EventId, ErrorCode = 'NoAnswer' } = output.Entries?.[index] ?? {};
        return EventId === undefined
          ? { refused: ErrorCode, forGood: REFUSED_FOR_GOOD.has(ErrorCode) }
          : 'published';
      });
    } catch (error) {
      // The call as a whole is wrong, it may be because of one of its entries; alone, each shows which.
      if (!isAboutEntries(error)) throw error;
      if (entries.length === 1) return [{ refused: error.name, forGood: REFUSED_FOR_GOOD.has(error.name) }];
      return (await Promise.all(entries.map((entry) => this.publish([entry], stopped)))).flat();
    } finally {
      clearTimeout(timer);
      stopped.removeEventListener('abort', abort);
    }
  }

  close(): void {
    this.#client.destroy();
  }

  #toRequestEntry(entry: OutboxEntry): PutEventsRequestEntry {
    return {
      EventBusName: this.#busName,
      Source: EVENT_SOURCE,
      DetailType: entry.detailType,
      Detail: entry.detail,
      // Without one EventBridge takes the time of its own; one that is none would hold up the whole batch.
      ...(Number.isNaN(new Date(entry.atMs).getTime()) ? {} : { Time: new Date(entry.atMs) }),
    };
  }
}

/** Whether an error may come from what is sent, as against who sends it, how often, and to which bus. */
function isAboutEntries(error: unknown): error is EventBridgeServiceException {
  return (
    error instanceof EventBridgeServiceException &&
    error.$fault === 'client' &&
    !ABOUT_THE_CALLER.test(error.name)
  );
}

/**
 * The size that EventBridge counts, in bytes: 14 for the time, and the texts in UTF-8. Source: Amazon EventBridge User
 * Guide, "Calculating Amazon EventBridge PutEvents event entry size".
 */
export function sizeInBytes(entry: OutboxEntry): number {
  return 14 + EVENT_SOURCE.length + Buffer.byteLength(entry.detailType) + Buffer.byteLength(entry.detail);
}
