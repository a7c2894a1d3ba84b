/** Something that the service has to keep to, and whether it did. */
export interface Bar {
  what: string;
  limit: string;
  figure: string;
  verdict: 'ok' | 'MISSED' | 'not measured';
}

export function atMost(what: string, figure: number, limit: number, unit: string, digits = 2): Bar {
  return barOf(what, `≤ ${limit}${unit}`, figure, unit, digits, figure <= limit);
}

export function atLeast(what: string, figure: number, limit: number, unit: string, digits = 2): Bar {
  return barOf(what, `≥ ${limit}${unit}`, figure, unit, digits, figure >= limit);
}

export function notMeasured(what: string, limit: string, why: string): Bar {
  return { what, limit, figure: why, verdict: 'not measured' };
}

function barOf(
  what: string,
  limit: string,
  figure: number,
  unit: string,
  digits: number,
  isKept: boolean,
): Bar {
  if (Number.isNaN(figure)) return notMeasured(what, limit, '–');
  return { what, limit, figure: `${figure.toFixed(digits)}${unit}`, verdict: isKept ? 'ok' : 'MISSED' };
}
