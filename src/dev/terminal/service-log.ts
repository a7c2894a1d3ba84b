const levelNames: Record<string, string> = { warn: 'warning', error: 'error', fatal: 'error' };
const notWorthSaying = new Set(['level', 'time', 'pid', 'hostname', 'msg', 'name', 'service']);

export interface Trouble {
  /** The same for lines that say the same of different requests. */
  kind: string;
  line: string;
}

/** A line of the service's log for people, when it says that something is wrong; otherwise undefined. */
export function troubleIn(line: string): Trouble | undefined {
  const entry = parse(line);
  const level = levelNames[String(entry?.['level'])];
  if (entry === undefined || level === undefined) return undefined;
  const fields = Object.entries(entry)
    .filter(([name]) => !notWorthSaying.has(name))
    .map(([name, value]) => `${name}=${shortly(value)}`);
  const kind = `service ${level}: ${shortly(entry['msg'] ?? '')}`;
  return { kind, line: [kind, ...fields].join('  ') };
}

function parse(line: string): Record<string, unknown> | undefined {
  try {
    const entry: unknown = JSON.parse(line);
    return typeof entry === 'object' && entry !== null ? { ...entry } : undefined;
  } catch {
    return undefined;
  }
}

function shortly(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'object' && value !== null && 'message' in value) return shortly(value.message);
  return JSON.stringify(value);
}
