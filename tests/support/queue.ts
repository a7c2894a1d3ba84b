interface Item<T> {
  value: T;
  next: Item<T> | undefined;
}

/** First in, first out. An array moves all that is left for each that leaves, and after a stall 100,000 may be left. */
export class Queue<T> {
  #first: Item<T> | undefined;
  #last: Item<T> | undefined;

  push(value: T): void {
    const item: Item<T> = { value, next: undefined };
    if (this.#last === undefined) this.#first = item;
    else this.#last.next = item;
    this.#last = item;
  }

  /** The one that has been in it for longest, and is no longer; undefined where it is empty. */
  shift(): T | undefined {
    const first = this.#first;
    this.#first = first?.next;
    if (this.#first === undefined) this.#last = undefined;
    return first?.value;
  }

  clear(): void {
    this.#first = undefined;
    this.#last = undefined;
  }
}
