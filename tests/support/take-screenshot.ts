/** Takes the picture of the live map for the README: `node --import tsx tests/support/take-screenshot.ts`. */
import { join } from 'node:path';
import { startBrowser } from './chromium.js';
import { startDev } from './dev-process.js';

const file = join(import.meta.dirname, '../../src/dev/pages/live-map/live-map.png');
/** Enough for an ETA. */
const positions = 7;

const [dev, browser] = await Promise.all([startDev(['--journeys', '6']), startBrowser()]);
try {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 }, colorScheme: 'light' });
  page.setDefaultTimeout(120_000);
  await page.goto(dev.url);
  await page.getByRole('button', { name: 'Start journey' }).click();
  await page.getByRole('button', { name: 'Drive' }).click();
  await page.getByText(`no. ${positions},`).waitFor();
  await page.locator('[data-phone="student"] [data-field="eta"]', { hasText: /\d/ }).waitFor();
  await page.mouse.move(0, 0);
  await page.screenshot({ path: file, fullPage: true });
  console.log(file);
} finally {
  await browser.close();
  await dev.interrupt();
}
