import type { Browser, Page } from 'playwright-core';
import { freePort } from '../../src/dev/servers/server-process.js';
import { hasChromium, startBrowser } from '../support/chromium.js';
import { startDev, type DevProcess } from '../support/dev-process.js';

const PATIENCE_MS = 60_000;
const testInBrowser = hasChromium ? test : test.skip;

let dev: DevProcess | undefined;
let browser: Browser | undefined;
afterEach(async () => {
  await browser?.close();
  await dev?.interrupt();
}, 60_000);

const isDriven = (page: Page) =>
  page.locator('[data-phone="trainer"] [data-field="state"][data-state="tracking"]').waitFor();

testInBrowser(
  'npm run dev ends while the page is open: the page says so, and goes on with the next one',
  async () => {
    const settings = { PAGE_PORT: String(await freePort()) };
    [dev, browser] = await Promise.all([startDev(['--no-simulate'], settings), startBrowser()]);
    const page = await browser.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    await page.goto(dev.url);
    await page.getByRole('button', { name: 'Start journey' }).click();
    await isDriven(page);

    expect(await dev.interrupt()).toBe(0);
    const away = page.getByText('does not answer any more');
    await away.waitFor();
    await page.getByText('NETWORK_ERROR').first().waitFor();

    const next = await startDev(['--no-simulate'], settings);
    expect(next.url).toBe(dev.url);
    dev = next;
    await away.waitFor({ state: 'hidden' });
    await page.getByRole('button', { name: 'Start journey' }).click();
    await isDriven(page);
  },
  240_000,
);
