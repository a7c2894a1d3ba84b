import { TokenIssuer } from '../../../src/dev/tokens.js';
import { SECRET } from '../../support/tokens.js';
import { home, journeyAt, type BenchJourney } from '../bench-journeys.js';

const BASE = '/api/v1/admin';
const ETAG = /\r\netag: ([^\r]+)/i;
/** Every sequence has as many digits as this one, so that a request is changed in place. */
const FIRST_SEQUENCE = 1_000_000_000;
/** 550 m north of the home. */
const LATITUDE = (home.latitude + 0.00499).toFixed(5);

const issuer = new TokenIssuer(SECRET);
let lastSequence = FIRST_SEQUENCE;

/** The requests of one trainer and one student, built as far as possible in advance. */
export class JourneyRequests {
  readonly start: string;
  readonly live: string;
  readonly #update: Buffer;
  readonly #sequenceAt: number;
  readonly #latitudeAt: number;
  readonly #pollHead: string;
  /** Of the last answer to a poll. */
  etag: string | undefined;

  static async of(index: number): Promise<JourneyRequests> {
    const journey = journeyAt(index);
    const [trainerToken, studentToken] = await Promise.all([
      issuer.issue(journey.trainerId, 'trainer'),
      issuer.issue(journey.studentId, 'student'),
    ]);
    return new JourneyRequests(journey, trainerToken, studentToken);
  }

  private constructor({ sessionId, trainerId }: BenchJourney, trainerToken: string, studentToken: string) {
    const head = (method: string, path: string, token: string) =>
      `${method} ${BASE}${path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer ${token}\r\n`;
    this.start = `${head('POST', `/sessions/${sessionId}/start-journey`, trainerToken)}Content-Length: 0\r\n\r\n`;
    // The floor reads no tokens and needs the trainer's id in the body; the service ignores unknown fields.
    const body =
      `{"sessionId":"${sessionId}","trainerId":"${trainerId}","latitude":${LATITUDE}00,"longitude":${home.longitude},` +
      `"accuracy":5.5,"speed":8.25,"heading":271.5,"sequence":${FIRST_SEQUENCE}}`;
    const type = `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
    const update = head('POST', '/location-tracking/journey/updates', trainerToken) + type + body;
    this.#update = Buffer.from(update, 'latin1');
    this.#sequenceAt = update.length - 1 - String(FIRST_SEQUENCE).length;
    this.#latitudeAt = update.indexOf(`"latitude":${LATITUDE}`) + `"latitude":${LATITUDE}`.length;
    this.#pollHead = head('GET', `/location-tracking/journey/live?sessionId=${sessionId}`, studentToken);
    this.live = `${this.#pollHead}\r\n`;
  }

  /** A move of up to a metre, with the next sequence. The bytes are valid until the next call. */
  update(): Buffer {
    const digits = String(++lastSequence);
    this.#update.write(digits, this.#sequenceAt, 'latin1');
    this.#update.write(digits.slice(-2), this.#latitudeAt, 'latin1');
    return this.#update;
  }

  /** Conditional once the ETag is known. */
  poll(): string {
    return this.etag === undefined ? this.live : `${this.#pollHead}If-None-Match: ${this.etag}\r\n\r\n`;
  }

  wait(seconds: number): string {
    return `${this.#pollHead}Prefer: wait=${seconds}\r\nIf-None-Match: ${this.etag ?? '"none"'}\r\n\r\n`;
  }

  rememberState(answer: string): void {
    this.etag = ETAG.exec(answer)?.[1];
  }

  forgetState(): void {
    this.etag = undefined;
  }
}
