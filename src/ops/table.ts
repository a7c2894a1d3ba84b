/** Lines of a table with aligned columns; a single line for none. */
export function table(headers: string[], rows: string[][]): string[] {
  if (rows.length === 0) return ['none'];
  const lines = [headers, ...rows];
  const widths = headers.map((_header, column) =>
    Math.max(...lines.map((line) => line[column]?.length ?? 0)),
  );
  return lines.map((line) =>
    line
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

/** The age of what happened at that millisecond. */
export function age(nowMs: number, atMs: number): string {
  return `${Math.max(0, Math.round((nowMs - atMs) / 1_000))} s`;
}
