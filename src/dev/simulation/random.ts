/** A number from 0 to below 1, as Math.random gives one. */
export type Random = () => number;

export type Range = readonly [least: number, most: number];

export function between([least, most]: Range, random: Random): number {
  return least + random() * (most - least);
}

/** The same numbers for the same seeds: mulberry32 (Tommy Ettinger, public domain). */
export function seededRandom(...seeds: number[]): Random {
  let state = seeds.reduce((mixed, seed) => scramble(mixed ^ seed) + 0x9e3779b9, 0x2545f491) | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

/** A whole number of 32 bits of which every bit depends on every one of the argument: MurmurHash3's last step. */
export function scramble(value: number): number {
  let bits = value | 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return bits ^ (bits >>> 16);
}
