import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { chromium, type Browser } from 'playwright-core';
import { findProgram } from '../../src/dev/servers/server-process.js';

const program =
  findProgram('chromium') ??
  findProgram('chromium-browser') ??
  findProgram('google-chrome') ??
  ['/usr/bin/chromium', '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome'].find(existsSync);

/** Whether there is one to test pages in. */
export const hasChromium = program !== undefined;

/** A Chromium without a window that calls nobody by itself, and that comes after the tests beside it. */
export function startBrowser(): Promise<Browser> {
  if (program === undefined) throw new Error('There is no Chromium on this machine: install chromium.');
  const off = ['gpu', 'quic', 'background-networking', 'component-update', 'sync', 'dev-shm-usage'];
  return chromium.launch({
    // Drawing without a graphics card takes all that it gets.
    executablePath: process.platform === 'win32' ? program : join(import.meta.dirname, 'last-in-line.sh'),
    env: { ...process.env, PROGRAM: program },
    // Chromium's own sandbox refuses to run as root, as which containers and build machines run.
    args: ['--no-first-run', '--no-sandbox', ...off.map((name) => `--disable-${name}`)],
  });
}
