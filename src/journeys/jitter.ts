/** Spreads phones that are slowed down together: a quarter less or more than the stretch adds. stretch: 1 or more. */
export function jittered(stretch: number, random: () => number = Math.random): number {
  return 1 + (stretch - 1) * (0.75 + random() / 2);
}
