import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { chromium, type Browser } from 'playwright-core';
import { findProgram } from '../../src/dev/servers/server-process.js';

const program =
  findProgram('chromium') ??
  findProgram('chromium-browser') ??
  findProgram('google-chrome') ??
  ['/usr/bin/chromium', '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome'].find(existsSync);

export const hasChromium = program !== undefined;

/** A headless Chromium without background requests, at a lower priority than the tests. */
export function startBrowser(): Promise<Browser> {
  if (program === undefined) throw new Error('There is no Chromium on this machine: install chromium.');
  const off = ['gpu', 'quic', 'background-networking', 'component-update', 'sync', 'dev-shm-usage'];
  return chromium.launch({
    // Rendering without a GPU would use every core.
    executablePath: process.platform === 'win32' ? program : join(import.meta.dirname, 'last-in-line.sh'),
    env: { ...process.env, PROGRAM: program },
    // The sandbox does not work as root, as in containers.
    args: ['--no-first-run', '--no-sandbox', ...off.map((name) => `--disable-${name}`)],
  });
}
