// @ts-check
/**
 * The reaper's own process: reads its charges from the pipe and, once the pipe is closed, cleans up and ends.
 * JavaScript, because each server that is started has one: without a loader for TypeScript it starts in no time.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

/** @typedef {import('./reaper.js').Charge} Charge */

const graceMs = 3_000;
const pollMs = 50;
/**
 * A charge, and for a process what tells it from a later one with the same pid.
 * @type {Map<string, { charge: Charge, birth: string | undefined }>}
 */
const charges = new Map();

/**
 * When the process started, as the system tells it; undefined when there is no such process.
 * @param {number} pid
 * @returns {string | undefined}
 */
function birthOf(pid) {
  try {
    if (process.platform === 'linux') {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      // The name, in parentheses, may hold spaces. After it: state is field 0, start time field 19.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return fields[0] === 'Z' ? undefined : fields[19];
    }
    if (process.platform === 'win32') {
      process.kill(pid, 0);
      return 'alive';
    }
    const started = execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim();
    return started || undefined;
  } catch {
    return undefined;
  }
}

/** @param {import('./reaper.js').ReaperMessage} message */
function take(message) {
  if ('watch' in message) {
    const charge = message.watch;
    const birth = charge.kind === 'process' ? birthOf(charge.pid) : undefined;
    charges.set(JSON.stringify(charge), { charge, birth });
  } else {
    charges.delete(JSON.stringify(message.forget));
  }
}

/**
 * @param {number} pid
 * @param {NodeJS.Signals} signal
 */
function send(pid, signal) {
  try {
    process.kill(pid, signal);
  } catch {
    // It ended in this moment.
  }
}

/** The newest first, one after the other: the service ends at once while the servers that it uses are there. */
async function endProcesses() {
  for (const { charge, birth } of [...charges.values()].reverse()) {
    if (charge.kind !== 'process' || birth === undefined) continue;
    const isAlive = () => birthOf(charge.pid) === birth;
    if (!isAlive()) continue;
    // A stopped process takes no other signal before it goes on.
    send(charge.pid, 'SIGCONT');
    send(charge.pid, charge.signal);
    for (const deadline = Date.now() + graceMs; isAlive() && Date.now() < deadline;) await sleep(pollMs);
    if (isAlive()) send(charge.pid, 'SIGKILL');
  }
}

async function removeRest() {
  for (const { charge } of charges.values()) {
    try {
      if (charge.kind === 'container') {
        execFileSync('docker', ['rm', '--force', '--volumes', charge.name], {
          stdio: 'ignore',
          timeout: 30_000,
        });
      } else if (charge.kind === 'path') {
        rmSync(charge.path, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
      } else if (charge.kind === 'sessions') {
        // Loaded only where it is needed.
        const { tsImport } = await import('tsx/esm/api');
        const { removeSessionRange } = await tsImport('../session-database.ts', import.meta.url);
        await removeSessionRange(charge.databaseUrl, charge.range);
      }
    } catch {
      // Nobody is left to be told.
    }
  }
}

// It ends when its owner has ended, and never before.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => undefined);

const lines = createInterface({ input: process.stdin });
lines.on('line', (line) => {
  take(JSON.parse(line));
});
lines.on('close', () => {
  void endProcesses()
    .then(removeRest)
    .finally(() => {
      process.exit(0);
    });
});
