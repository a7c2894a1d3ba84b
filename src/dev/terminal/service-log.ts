import { Repeats } from './repeats.js';

const levelNames: Record<string, string> = { warn: 'warning', error: 'error', fatal: 'error' };
const hiddenFields = new Set(['level', 'time', 'pid', 'hostname', 'msg', 'name', 'service']);

interface Trouble {
  /** The same for lines that differ only in their fields. */
  kind: string;
  line: string;
}

/** Shows warnings and errors of the service's log for people, and no other lines. */
export function onlyTrouble(show: (line: string) => void): (line: string) => void {
  const repeats = new Repeats(show);
  return (line) => {
    const trouble = troubleIn(line);
    if (trouble) repeats.show(trouble.kind, trouble.line);
  };
}

function troubleIn(line: string): Trouble | undefined {
  const entry = parse(line);
  const level = levelNames[String(entry?.['level'])];
  if (entry === undefined || level === undefined) return undefined;
  const fields = Object.entries(entry)
    .filter(([name]) => !hiddenFields.has(name))
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
