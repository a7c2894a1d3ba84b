/** Well below the load balancer's idle timeout. */
const MAX_WAIT_SECONDS = 25;

/** Splits at commas outside quotes. Each character matches in one way only, so matching takes linear time. */
const COMMA_SEPARATED = /(?:"(?:[^"\\]|\\.?)*(?:"|$)|[^,"])+/g;

/** Seconds of `Prefer: wait=N` (RFC 7240, section 4.3), at most 25; null without a valid one. */
export function preferredWaitSeconds(header: string | string[] | undefined): number | null {
  if (header === undefined) return null;
  for (const preference of String(header).match(COMMA_SEPARATED) ?? []) {
    if (!/^\s*wait\s*(?:[=;]|$)/i.test(preference)) continue;
    // The first of repeated preferences counts.
    const seconds = /=\s*"?(\d{1,9})"?\s*(?:;|$)/.exec(preference)?.[1];
    return Math.min(Number(seconds ?? 0), MAX_WAIT_SECONDS) || null;
  }
  return null;
}
