const loopback = /^(localhost|127\.[\d.]+|\[::1\])$/;

/**
 * How far the server's clock is ahead of this machine's, by the answers that say when they were made: the quickest
 * answer is the best witness, as in NTP (RFC 5905).
 */
export class ClockOffset {
  #ms = 0;
  #quickestMs: number;

  /** @param hostname where the service is; on this very machine there is but one clock */
  constructor(hostname: string) {
    this.#quickestMs = loopback.test(hostname) ? 0 : Infinity;
  }

  get ms(): number {
    return this.#ms;
  }

  /** @param tookMs from when the call was sent to now */
  compare(serverTime: string, tookMs: number): void {
    if (tookMs >= this.#quickestMs) return;
    this.#quickestMs = tookMs;
    this.#ms = Date.parse(serverTime) - (Date.now() - tookMs / 2);
  }

  /** How long ago it was at the server, in milliseconds. */
  since(serverTime: string): number {
    return Date.now() + this.#ms - Date.parse(serverTime);
  }
}
