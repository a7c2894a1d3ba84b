/** Below the load balancer's idle time of 60 s with room for a slow line. */
const LONGEST_WAIT_SECONDS = 25;

/**
 * A comma within quotes separates nothing. Each character can be taken in one way only, and a quote that is never closed
 * reaches to the end: otherwise a header full of them would be gone through once for each.
 */
const COMMA_SEPARATED = /(?:"(?:[^"\\]|\\.?)*(?:"|$)|[^,"])+/g;

/**
 * How long the caller would wait for a change: `Prefer: wait=N`, RFC 7240, 4.3, cut to what is offered. Null where it
 * does not say, or not in that form: a preference that is not understood is ignored.
 */
export function preferredWaitSeconds(header: string | string[] | undefined): number | null {
  if (header === undefined) return null;
  for (const preference of String(header).match(COMMA_SEPARATED) ?? []) {
    if (!/^\s*wait\s*(?:[=;]|$)/i.test(preference)) continue;
    // Of a preference that is repeated the first counts.
    const seconds = /=\s*"?(\d{1,9})"?\s*(?:;|$)/.exec(preference)?.[1];
    return Math.min(Number(seconds ?? 0), LONGEST_WAIT_SECONDS) || null;
  }
  return null;
}
