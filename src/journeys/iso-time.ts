/** ISO 8601 UTC with milliseconds. ms: since the epoch. */
export function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
