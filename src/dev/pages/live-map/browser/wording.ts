/** "320 m", "1.2 km". */
export function distance(meters: number): string {
  return meters < 1_000 ? `${Math.round(meters)} m` : `${(meters / 1_000).toFixed(1)} km`;
}

/** "4 min" */
export function minutes(seconds: number): string {
  return `${Math.max(1, Math.round(seconds / 60))} min`;
}

/** "4–7 min" */
export function minutesBetween(lowSeconds: number, highSeconds: number): string {
  const [low, high] = [Math.max(1, Math.round(lowSeconds / 60)), Math.max(1, Math.ceil(highSeconds / 60))];
  return low >= high ? `${high} min` : `${low}–${high} min`;
}

/** "28 s", "3 min". */
export function duration(ms: number): string {
  const seconds = Math.round(ms / 1_000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min`;
}

/** "just now", "28 s ago". */
export function ago(ms: number): string {
  return ms < 3_000 ? 'just now' : `${duration(ms)} ago`;
}

/** "19:47:05" */
export function timeOfDay(time: string | Date): string {
  return new Date(time).toLocaleTimeString('en-GB');
}

export function firstNameOf(name: string): string {
  return name.split(' ')[0] ?? name;
}
