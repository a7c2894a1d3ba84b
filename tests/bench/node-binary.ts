import { execFileSync } from 'node:child_process';

/** The image's Node: costs differ much between versions. */
const WANTED_MAJOR = 24;

export interface NodeBinary {
  path: string;
  version: string;
  /** What whoever reads the figures should know of it. */
  note: string | undefined;
}

/**
 * The Node that the contenders run on: the given one, this one where it will do, or one from the npm registry. Undefined
 * where the given one does not run.
 */
export function findNode(given: string | undefined, say: (line: string) => void): NodeBinary | undefined {
  if (given !== undefined) return nodeAt(given);
  if (Number(process.versions.node.split('.')[0]) >= WANTED_MAJOR) return nodeAt(process.execPath);
  const command = ['exec', '--yes', `--package=node@${WANTED_MAJOR}`, '--', 'node', '-p', 'process.execPath'];
  say(`getting Node ${WANTED_MAJOR}, production's, once from the npm registry: npm ${command.join(' ')}`);
  const output = outputOf('npm', command);
  const found = output === undefined ? undefined : nodeAt(output.split('\n').at(-1) ?? '');
  if (found !== undefined) return found;
  const note = `Not on production's Node ${WANTED_MAJOR}, which could not be had; the bars are meant for that one.`;
  say(note);
  return { path: process.execPath, version: process.version, note };
}

function nodeAt(path: string): NodeBinary | undefined {
  const version = outputOf(path, ['--version']);
  return version?.startsWith('v') === true ? { path, version, note: undefined } : undefined;
}

function outputOf(command: string, args: string[]): string | undefined {
  try {
    return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return undefined;
  }
}
