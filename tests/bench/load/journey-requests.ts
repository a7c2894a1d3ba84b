import { journeyAt, tokens, type BenchJourney } from '../bench-journeys.js';

const BASE = '/api/v1/admin/location-tracking/journey';
const ETAG = /\r\netag: ([^\r]+)/i;
/** All sequences have as many digits, so that a request is changed in place. */
export const FIRST_SEQUENCE = 1_000_000_000;

/** The requests of one journey's trainer and student, made as far as they can be beforehand. */
export class JourneyRequests {
  readonly #update: Buffer;
  readonly #sequenceAt: number;
  readonly #latitudeAt: number;
  readonly #pollHead: string;
  /** Of the last answer to a poll. */
  etag: string | undefined;

  /** Signs the tokens: half a minute of work for 100,000 journeys. */
  static async of(index: number): Promise<JourneyRequests> {
    const journey = journeyAt(index);
    return new JourneyRequests(
      journey,
      await tokens.issue(journey.trainerId, 'trainer'),
      await tokens.issue(journey.studentId, 'student'),
    );
  }

  private constructor({ sessionId, trainerId }: BenchJourney, trainerToken: string, studentToken: string) {
    const head = (method: string, path: string, token: string) =>
      `${method} ${BASE}${path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer ${token}\r\n`;
    // The trainer's id is for the floor, which knows no tokens; the service ignores fields that it does not know.
    const body = `{"sessionId":"${sessionId}","trainerId":"${trainerId}","latitude":12.9715900,"longitude":77.5945627,"accuracy":5.5,"speed":8.25,"heading":271.5,"sequence":${FIRST_SEQUENCE}}`;
    const type = `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
    const update = head('POST', '/updates', trainerToken) + type + body;
    this.#update = Buffer.from(update, 'latin1');
    this.#sequenceAt = update.length - 1 - String(FIRST_SEQUENCE).length;
    this.#latitudeAt = update.indexOf('"latitude":12.9715900') + '"latitude":12.97159'.length;
    this.#pollHead = head('GET', `/live?sessionId=${sessionId}`, studentToken);
  }

  /** The trainer moves by up to a metre. The bytes are good until the next call. */
  update(sequence: number): Buffer {
    const digits = String(sequence);
    this.#update.write(digits, this.#sequenceAt, 'latin1');
    this.#update.write(digits.slice(-2), this.#latitudeAt, 'latin1');
    return this.#update;
  }

  live(): string {
    return `${this.#pollHead}\r\n`;
  }

  /** Only what is new since the last answer is wanted. */
  poll(): string {
    return this.etag === undefined ? this.live() : `${this.#pollHead}If-None-Match: ${this.etag}\r\n\r\n`;
  }

  wait(seconds: number): string {
    return `${this.#pollHead}Prefer: wait=${seconds}\r\nIf-None-Match: ${this.etag ?? '"none"'}\r\n\r\n`;
  }

  /** Remembers the state that an answer to a poll shows. */
  seen(answer: string): void {
    this.etag = ETAG.exec(answer)?.[1];
  }

  forget(): void {
    this.etag = undefined;
  }
}
