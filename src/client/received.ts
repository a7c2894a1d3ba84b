/** An answer with its body, which is read within the call's deadline too. */
export interface Received {
  status: number;
  headers: { get(name: string): string | null };
  text: string;
}
