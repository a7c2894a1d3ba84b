import { execFileSync } from 'node:child_process';

/** The image's Node: costs differ much between versions. */
const WANTED_MAJOR = 24;

export interface NodeBinary {
  path: string;
  version: string;
  /** What whoever reads the figures should know of it. */
  note: string | undefined;
}

/** The Node that the contenders run on: the given one, this one where it will do, or one from the npm registry. */
export function findNode(given: string | undefined, say: (line: string) => void): NodeBinary {
  if (given !== undefined) return described(given, undefined);
  if (Number(process.versions.node.split('.')[0]) >= WANTED_MAJOR)
    return described(process.execPath, undefined);
  const args = ['exec', '--yes', `--package=node@${WANTED_MAJOR}`, '--', 'node', '-p', 'process.execPath'];
  say(
    `production's Node is ${WANTED_MAJOR}: npm ${args.slice(0, 3).join(' ')} (downloaded once from the npm registry)`,
  );
  try {
    const output = execFileSync('npm', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
    return described(output.trim().split('\n').at(-1) ?? '', undefined);
  } catch {
    const note = `not on production's Node ${WANTED_MAJOR}, which could not be had: the bars are meant for that one`;
    return described(process.execPath, note);
  }
}

/** @throws where there is no Node at the path */
function described(path: string, note: string | undefined): NodeBinary {
  const version = execFileSync(path, ['--version'], { encoding: 'utf8' }).trim();
  return { path, version, note };
}
