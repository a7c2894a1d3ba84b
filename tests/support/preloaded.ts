/** A module for Node's --import. */
export function asModule(source: string): string {
  return `data:text/javascript,${encodeURIComponent(source)}`;
}

/** A module that moves the clock of the process, but not its timers. */
export function clockAheadBy(ms: number): string {
  return asModule(`
    const RealDate = Date;
    globalThis.Date = class extends RealDate {
      constructor(...given) { given.length === 0 ? super(RealDate.now() + ${ms}) : super(...given); }
      static now() { return RealDate.now() + ${ms}; }
    };`);
}
