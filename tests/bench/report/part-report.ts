/** Something that the service has to meet, and whether it did. */
export interface Bar {
  what: string;
  limit: string;
  figure: string;
  verdict: 'ok' | 'MISSED' | 'not measured';
}

export type Row = Record<string, string>;

/** The result of one part of the bench. */
export interface PartReport {
  title: string;
  rows: Row[];
  bars: Bar[];
  /** How the figures came about. */
  notes: string[];
}

export function atMost(what: string, figure: number, limit: number, unit: string, digits = 2): Bar {
  return bar(what, figure, `≤ ${limit}${unit}`, figure <= limit, `${figure.toFixed(digits)}${unit}`);
}

export function atLeast(what: string, figure: number, limit: number, unit: string, digits = 2): Bar {
  return bar(what, figure, `≥ ${limit}${unit}`, figure >= limit, `${figure.toFixed(digits)}${unit}`);
}

function bar(what: string, figure: number, limit: string, isMet: boolean, text: string): Bar {
  if (Number.isNaN(figure)) return { what, limit, figure: '–', verdict: 'not measured' };
  return { what, limit, figure: text, verdict: isMet ? 'ok' : 'MISSED' };
}
