/** An answer with its body, which is read within the deadline of the call. */
export interface Received {
  status: number;
  headers: { get(name: string): string | null };
  text: string;
}
