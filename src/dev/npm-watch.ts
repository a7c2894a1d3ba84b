import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const watchMs = 1_000;

/** Tells when the npm that started this is gone: one that is killed tells nobody. */
export function whenNpmIsGone(tell: () => void): void {
  // Started without npm, this may well outlive its parent: `nohup`, a script that ends.
  if (process.env['npm_lifecycle_event'] === undefined) return;
  const parent = process.ppid;
  const npm = npmAbove(parent);
  setInterval(() => {
    if (process.ppid !== parent || !isThere(npm)) tell();
  }, watchMs).unref();
}

/** npm starts scripts through a shell. Some of them make way for the script, others stay between the two. */
function npmAbove(parent: number): number {
  try {
    const { name, above } = process.platform === 'linux' ? readProc(parent) : askPs(parent);
    return /(^|\/)-?(da|ba|z|k)?sh$/.test(name) ? above : parent;
  } catch {
    return parent;
  }
}

function readProc(pid: number): { name: string; above: number } {
  const [, name = '', above = ''] =
    /^\d+ \((.*)\) \S (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
  return { name, above: Number(above) };
}

function askPs(pid: number): { name: string; above: number } {
  const [above = '', name = ''] = execFileSync('ps', ['-o', 'ppid=,comm=', '-p', String(pid)], {
    encoding: 'utf8',
  })
    .trim()
    .split(/\s+/, 2);
  return { name, above: Number(above) };
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Not allowed to signal it: it is there.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
