/** A module for Node's --import: a process loads it before its own. */
export function asModule(source: string): string {
  return `data:text/javascript,${encodeURIComponent(source)}`;
}

/** One that moves the process' clock; timers go by another one. */
export function clockAheadBy(ms: number): string {
  return asModule(`
    const RealDate = Date;
    globalThis.Date = class extends RealDate {
      constructor(...given) { given.length === 0 ? super(RealDate.now() + ${ms}) : super(...given); }
      static now() { return RealDate.now() + ${ms}; }
    };`);
}
