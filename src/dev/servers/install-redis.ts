import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { findProgram, type LocalServerOptions } from './server-process.js';

const run = promisify(execFile);
const policyFile = '/usr/sbin/policy-rc.d';
const debian = 'apt-get update && apt-get install -y --no-install-recommends redis-server';

/** On Debian and Ubuntu, as root. */
export function canInstall(): boolean {
  return (
    process.getuid?.() === 0 && existsSync('/etc/debian_version') && findProgram('apt-get') !== undefined
  );
}

/** Installs the program without starting its system service, now or at the next boot. */
export async function installWithApt({ reaper, say }: LocalServerOptions): Promise<void> {
  say?.(`installing Redis: ${debian}`);
  const policy = { kind: 'path', path: policyFile } as const;
  const isOurs = !existsSync(policyFile);
  if (isOurs) {
    reaper.watch(policy);
    // 101 is "forbidden by policy": the package's script does not start its service then.
    await writeFile(policyFile, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  }
  try {
    await run('sh', ['-c', debian], {
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      maxBuffer: 16 * 1024 * 1024,
    });
    if (existsSync('/run/systemd/system')) {
      await run('systemctl', ['disable', 'redis-server']).catch(() => undefined);
    }
  } finally {
    if (isOurs) {
      await rm(policyFile, { force: true });
      reaper.forget(policy);
    }
  }
}

/** What the user can do about it. */
export function redisAdvice(): string {
  return `Install one (${installCommand()}), or start Docker, or set REDIS_URL to a Redis that runs.`;
}

function installCommand(): string {
  if (process.platform === 'darwin') return 'brew install redis';
  if (process.platform === 'win32') return 'in WSL: sudo apt-get install -y redis-server';
  const system = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '';
  const name = /^ID(?:_LIKE)?=.*(debian|ubuntu|fedora|rhel|alpine|arch|suse)/m.exec(system)?.[1] ?? 'debian';
  return installCommands[name] ?? debianCommand;
}

const debianCommand = 'sudo apt-get install -y redis-server';
const installCommands: Record<string, string> = {
  fedora: 'sudo dnf install -y valkey',
  rhel: 'sudo dnf install -y valkey',
  alpine: 'sudo apk add redis',
  arch: 'sudo pacman -S valkey',
  suse: 'sudo zypper install -y redis',
};
