/** Takes the pictures of the READMEs: `node --import tsx tests/support/take-pictures.ts`. */
import { join } from 'node:path';
import type { Locator } from 'playwright-core';
import { startBrowser } from './chromium.js';
import { compileSource } from './compiled-source.js';
import { startDev } from './dev-process.js';

const folder = join(import.meta.dirname, '../../src/dev/pages/live-map/pictures');
/** A whole drive. */
const PATIENCE_MS = 240_000;
const phones = { width: 1280, height: 860 };
const fleet = { width: 1440, height: 860 };

await compileSource();
const [dev, browser] = await Promise.all([startDev(['--journeys', '6']), startBrowser()]);
try {
  const page = await browser.newPage({ viewport: phones, colorScheme: 'light' });
  page.setDefaultTimeout(PATIENCE_MS);
  await page.goto(dev.url);
  const press = (phone: string, act: string) =>
    page.locator(`[data-phone="${phone}"] [data-act="${act}"]`).click();
  const says = (phone: string, text: string | RegExp) =>
    page.locator(`[data-phone="${phone}"] .status`, { hasText: text }).waitFor();
  const take = async (what: Locator, name: string) => {
    await what.screenshot({ type: 'jpeg', quality: 75, path: join(folder, `${name}.jpg`) });
  };
  const [whole, student] = [page.locator('body'), page.locator('[data-phone="student"] .phone')];

  await press('trainer', 'start');
  await press('trainer', 'drive');
  await says('student', 'Arriving in');
  await take(student, 'student');
  await page.screenshot({ type: 'jpeg', quality: 72, path: join(folder, 'phones.jpg') });
  await press('trainer', 'gps');
  await says('student', /No update for [23]\d s/);
  await take(student, 'no-gps');
  await page.setViewportSize(fleet);
  await page.getByRole('link', { name: 'Fleet' }).click();
  await page.locator('#journeys tbody button').first().click();
  await page.locator('.diagnosis li').waitFor();
  await take(whole, 'fleet');
  await page.getByRole('link', { name: 'Phones' }).click();
  await page.setViewportSize(phones);
  await press('trainer', 'gps');
  await page.locator('[data-phone="student"][data-tone="calm"]').waitFor();
  await press('student', 'cut');
  await says('student', /was here \d+ s ago/);
  await take(student, 'offline');
  await press('student', 'cut');
  await says('student', 'Arriving now');
  await take(student, 'now');
  await says('trainer', 'You are at the home');
  await press('trainer', 'arrive');
  await says('student', 'has arrived');
  await take(student, 'arrived');
} finally {
  await browser.close();
  await dev.interrupt();
}
