import {
  EventBridgeClient,
  EventBridgeServiceException,
  PutEventsCommand,
  type PutEventsRequestEntry,
  type PutEventsResultEntry,
} from '@aws-sdk/client-eventbridge';
import { EVENT_SOURCE } from '../contract/events.js';
import type { OutboxEntry } from './outbox.js';

export type PublishResult =
  { kind: 'published' } | { kind: 'retryable'; code: string } | { kind: 'rejected'; code: string };

const CALL_TIMEOUT_MS = 5_000;

/** Not retryable: EventBridge API Reference, "PutEventsResultEntry", ErrorCode; and errors of a call with one entry. */
const REJECTED = new Set([
  'AccessDeniedException',
  'InvalidAccountIdException',
  'InvalidArgument',
  'MalformedDetail',
  'NotAuthorizedForDetailTypeException',
  'NotAuthorizedForSourceException',
  'RedactionFailure',
  ...['InvalidSource', 'ValidationException', 'ValidationError'],
]);

/** Client errors that concern the caller, its rate or the bus, not the entries. */
const ABOUT_CALLER =
  /Throttl|AccessDenied|Token|Signature|Credential|Unrecognized|ResourceNotFound|UnknownOperation/;

export class EventBridgePublisher {
  readonly #client: EventBridgeClient;
  readonly #busName: string;

  /** endpoint: overrides the region's address. */
  constructor({
    region,
    busName,
    endpoint,
  }: {
    region: string;
    busName: string;
    endpoint: string | undefined;
  }) {
    // No retries in the SDK: the relay retries, with its own back-off and metrics.
    this.#client = new EventBridgeClient({
      region,
      maxAttempts: 1,
      ...(endpoint !== undefined && { endpoint }),
    });
    this.#busName = busName;
  }

  /**
   * Publishes a batch (see toBatches) with one PutEvents call and returns a result for each entry.
   * @throws if the whole call failed, so that none is known to be published
   */
  async publish(entries: OutboxEntry[], aborted: AbortSignal): Promise<PublishResult[]> {
    try {
      const output = await this.#putEvents(entries, aborted);
      return entries.map((_entry, index) => toResult(output[index]));
    } catch (error) {
      if (!isAboutEntries(error)) throw error;
      if (entries.length === 1) return [failed(error.name)];
      // One bad entry fails the whole call; separate calls find out which.
      return (await Promise.all(entries.map((entry) => this.publish([entry], aborted)))).flat();
    }
  }

  close(): void {
    this.#client.destroy();
  }

  async #putEvents(entries: OutboxEntry[], aborted: AbortSignal): Promise<PutEventsResultEntry[]> {
    const command = new PutEventsCommand({ Entries: entries.map((entry) => this.#toRequestEntry(entry)) });
    const call = new AbortController();
    const abort = () => {
      call.abort();
    };
    const timer = setTimeout(abort, CALL_TIMEOUT_MS);
    // Not AbortSignal.any, which would retain each call's signal for the life of the process.
    aborted.addEventListener('abort', abort);
    try {
      const output = await this.#client.send(command, { abortSignal: call.signal });
      return output.Entries ?? [];
    } finally {
      clearTimeout(timer);
      aborted.removeEventListener('abort', abort);
    }
  }

  #toRequestEntry({ detailType, detail, atMs }: OutboxEntry): PutEventsRequestEntry {
    const time = new Date(atMs);
    return {
      EventBusName: this.#busName,
      Source: EVENT_SOURCE,
      DetailType: detailType,
      Detail: detail,
      // An invalid time would fail the whole batch; without one EventBridge uses its own.
      ...(!Number.isNaN(time.getTime()) && { Time: time }),
    };
  }
}

function toResult(output: PutEventsResultEntry | undefined): PublishResult {
  // Only an entry with an id has been accepted.
  return output?.EventId === undefined ? failed(output?.ErrorCode ?? 'NoAnswer') : { kind: 'published' };
}

function failed(code: string): PublishResult {
  return { kind: REJECTED.has(code) ? 'rejected' : 'retryable', code };
}

function isAboutEntries(error: unknown): error is EventBridgeServiceException {
  return (
    error instanceof EventBridgeServiceException &&
    error.$fault === 'client' &&
    !ABOUT_CALLER.test(error.name)
  );
}
