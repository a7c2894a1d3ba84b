import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { request, type IncomingMessage } from 'node:http';
import { createRequire } from 'node:module';
import type { Browser, Locator, Page } from 'playwright-core';
import { hasChromium, startBrowser } from '../support/chromium.js';
import { startDev, type DevProcess } from '../support/dev-process.js';
import { until } from '../support/until.js';

const PATIENCE_MS = 20_000;
/** Within which a student sees a position that the trainer's phone has sent. */
const SEEN_WITHIN_MS = 2_000;
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** Quick updates, and a home that is reached from anywhere but 3 km away. */
const settings = {
  UPDATE_INTERVAL_MS: '500',
  UPDATE_TOLERANCE_MS: '250',
  ARRIVAL_RADIUS_METERS: '2000',
  MAX_SPEED_KMH: '100000',
};

/** Both phones beside the map. */
const wide = { width: 1240, height: 700 };
const narrow = { width: 390, height: 740 };

jest.setTimeout(120_000);
if (!hasChromium) process.stderr.write('skipped: the live map, because there is no Chromium\n');
const describeInBrowser = hasChromium ? describe : describe.skip;

// One page and, as long as it lasts, one journey: to load the page costs more than most of the tests.
describeInBrowser('the live map of npm run dev', () => {
  let dev: DevProcess;
  let browser: Browser;
  let page: Page;
  const hosts = new Set<string>();

  beforeAll(async () => {
    [dev, browser] = await Promise.all([startDev(['--journeys', '1'], settings), startBrowser()]);
    page = await browser.newPage({ viewport: wide });
    page.setDefaultTimeout(PATIENCE_MS);
    page.on('request', (made) => hosts.add(new URL(made.url()).hostname));
    await page.goto(dev.url);
    await state('trainer', 'idle');
    await button('trainer', 'Start journey').and(page.locator(':enabled')).waitFor();
  }, 120_000);
  afterAll(async () => {
    await browser.close();
    expect(await dev.interrupt()).toBe(0);
  }, 60_000);

  const phone = (name: 'trainer' | 'student') => page.locator(`[data-phone="${name}"]`);
  const button = (name: 'trainer' | 'student', text: string) =>
    phone(name).getByRole('button', { name: text });
  const field = (name: 'trainer' | 'student', which: string) =>
    phone(name).locator(`[data-field="${which}"]`);
  const state = (name: 'trainer' | 'student', which: string) =>
    page.locator(`[data-phone="${name}"][data-state="${which}"]`).waitFor();
  const textOf = async (locator: Locator) => (await locator.textContent()) ?? '';
  const says = (name: 'trainer' | 'student', which: string, text: string | RegExp) =>
    until(
      `the ${name}'s phone says ${String(text)}`,
      async () => new RegExp(text).test(await textOf(field(name, which))),
      PATIENCE_MS,
    );
  const driveJourney = async () => {
    const start = button('trainer', 'Start journey');
    if (await start.isVisible()) await start.click();
    const drive = phone('trainer').locator('[data-act="drive"][aria-pressed="false"]:enabled');
    if (await drive.isVisible()) await drive.click();
    await state('trainer', 'tracking');
    await state('student', 'live');
  };
  const events = (type: string) =>
    page.locator(`#events [data-type="${type}"][data-session^="5e55a000"]`).count();

  test('a page of another name gets no tokens', async () => {
    const { port } = new URL(dev.url);
    const other = request({ port, path: '/live-map/settings', headers: { host: 'evil.example' } }).end();
    const [response] = (await once(other, 'response')) as [IncomingMessage];
    response.resume();
    expect(response.statusCode).toBe(403);
  });

  test('a journey is started and driven with the keyboard alone', async () => {
    const focused = () => page.evaluate<string>("document.activeElement?.dataset.act ?? ''");
    for (let presses = 0; presses < 20 && (await focused()) !== 'start'; presses++)
      await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    // Start is disabled now, and what comes next has the focus.
    await until('Drive has the focus', async () => (await focused()) === 'drive', PATIENCE_MS);
    await page.keyboard.press('Enter');
    await state('trainer', 'tracking');
    await button('trainer', 'Stop driving').waitFor();
  });

  test('the marker and the student follow each position within two seconds', async () => {
    await driveJourney();
    const marker = page.locator('.trainer[data-session^="5e55a000"]');
    await marker.waitFor();
    const markerBefore = await marker.getAttribute('style');
    const delays = await page.evaluate<number[]>(delaysOfPositions);
    expect(delays.toSorted((one, other) => one - other)[1]).toBeLessThanOrEqual(SEEN_WITHIN_MS);
    expect(await marker.getAttribute('style')).not.toBe(markerBefore);
  });

  test('each call is shown with its request and response', async () => {
    await driveJourney();
    const update = page.locator('#calls li[data-kind="done"]', {
      hasText: 'POST /location-tracking/journey/updates',
    });
    await update.first().locator('summary').click();
    expect(await textOf(update.first().locator('pre'))).toMatch(/"latitude":[\s\S]*"nextUpdateMs": /);
  });

  test('a student without a network sees so, and recovers', async () => {
    await driveJourney();
    await button('student', 'Cut network').click();
    await says('student', 'title', 'You are offline');
    expect(await textOf(field('student', 'detail'))).toMatch(/was here (just now|\d+ s ago)/);
    await button('student', 'Restore network').click();
    await says('student', 'title', /Arriving|on the way/);
  });

  test('a trainer without a network sends positions again when it is back', async () => {
    await driveJourney();
    await button('trainer', 'Cut network').click();
    await state('trainer', 'reconnecting');
    const sent = await textOf(field('trainer', 'sent'));
    await button('trainer', 'Restore network').click();
    await state('trainer', 'tracking');
    const isSent = async () => (await textOf(field('trainer', 'sent'))) !== sent;
    await until('another position is sent', isSent, PATIENCE_MS);
    await says('trainer', 'title', 'Your student sees you');
  });

  test('with GPS paused both phones say why there is no position, and recover', async () => {
    await driveJourney();
    await button('trainer', 'Pause GPS').click();
    await says('trainer', 'title', 'Your student can’t see you: no GPS');
    await says('student', 'detail', /No update for \d+ s. \w+’s phone has no GPS./);
    await expectDiagnosis('no GPS fix');
    await button('trainer', 'Resume GPS').click();
    await says('trainer', 'title', 'Your student sees you');
    await says('student', 'title', /Arriving|on the way/);
  });

  /** Support finds the journey with the keyboard, and reads why. */
  async function expectDiagnosis(reason: string): Promise<void> {
    await page.getByRole('link', { name: 'Fleet' }).click();
    await page.getByRole('searchbox').fill('diya 5e55a000');
    await until(
      'one journey is found',
      async () => (await page.locator('#journeys tr').count()) === 2,
      PATIENCE_MS,
    );
    await page.keyboard.press('Enter');
    await page.locator('.diagnosis', { hasText: reason }).waitFor();
    await page.locator('#journeys td.state', { hasText: 'No GPS' }).waitFor();
    await page.getByRole('searchbox').fill('');
    await page.getByRole('link', { name: 'Phones' }).click();
  }

  test('on a phone support moves between journeys and their details with the keyboard', async () => {
    await driveJourney();
    await page.setViewportSize(narrow);
    await page.getByRole('link', { name: 'Fleet' }).click();
    await page.locator('#journeys tbody tr').nth(1).waitFor();
    const focused = () => page.evaluate<string>('document.activeElement?.textContent');
    await page.locator('#journeys tbody button').first().focus();
    await page.keyboard.press('ArrowDown');
    const second = await focused();
    await page.keyboard.press('Enter');
    expect(await focused()).toBe('← All journeys');
    await page.locator('#journey h2', { hasText: second }).waitFor();
    await page.keyboard.press('Enter');
    expect(await focused()).toBe(second);
    await expectNoScrolling();
    await page.getByRole('link', { name: 'Phones' }).click();
    await expectNoScrolling();
    await page.setViewportSize(wide);
  });

  async function expectNoScrolling(): Promise<void> {
    expect(await page.evaluate<number>('document.documentElement.scrollWidth')).toBe(narrow.width);
    const overflowing = await page.evaluate<string[]>(
      `[...document.querySelectorAll('main button, main p, main td, .rows')]
        .filter(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth && clientWidth > 0)
        .map(({ className, textContent }) => className + textContent)`,
    );
    expect(overflowing).toEqual([]);
  }

  test('a reloaded page continues the journey', async () => {
    await driveJourney();
    await page.reload();
    await state('trainer', 'tracking');
    await says('trainer', 'message', 'goes on');
    await state('student', 'live');
  });

  test.each(['light', 'dark'] as const)('axe finds no violation in %s colours', async (colorScheme) => {
    await driveJourney();
    await page.emulateMedia({ colorScheme });
    if (!(await page.evaluate<boolean>("'axe' in window"))) await page.evaluate(axe);
    expect(await violations(colorScheme)).toEqual([]);
    await page.getByRole('link', { name: 'Fleet' }).click();
    await page.locator('#journeys tbody button').first().click();
    await page.locator('.diagnosis li').first().waitFor();
    expect(await violations(colorScheme)).toEqual([]);
    await page.getByRole('link', { name: 'Phones' }).click();
  });

  /** In the other colours only the contrast differs. */
  const violations = (colorScheme: 'light' | 'dark') =>
    page.evaluate<string[]>(
      `axe.run(${colorScheme === 'dark' ? "{ runOnly: ['color-contrast'] }" : ''})
        .then(({ violations }) => violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html).join()))`,
    );

  test('a second page shows the active journey and joins it on Start', async () => {
    await driveJourney();
    const first = page;
    page = await browser.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    await page.goto(dev.url);
    await state('student', 'live');
    // The first page still drives, so the next message may follow at once.
    await page.evaluate(recordMessages);
    await button('trainer', 'Start journey').click();
    const messages = () => page.evaluate<string[]>('messages');
    const hasJoined = async () => (await messages()).some((each) => each.includes('was running already'));
    await until('it joins the journey', hasJoined, PATIENCE_MS);
    await first.close();
  });

  test('an arrival ends the journey on both phones, is shown as an event, and the next one has a new route', async () => {
    await driveJourney();
    const before = await events('TrainerJourneyEnded');
    await button('trainer', 'I have arrived').click();
    await state('trainer', 'ended');
    await state('student', 'ended');
    await says('student', 'title', 'has arrived');
    await until(
      'the event is shown',
      async () => (await events('TrainerJourneyEnded')) > before,
      PATIENCE_MS,
    );
    const way = await page.locator('#map .route').getAttribute('d');
    await button('trainer', 'Start journey').click();
    await state('trainer', 'tracking');
    expect(await page.locator('#map .route').getAttribute('d')).not.toBe(way);
  });

  test('an arrival from far away is refused in plain words, and the journey goes on', async () => {
    await driveJourney();
    await button('trainer', 'Teleport').click();
    await says('student', 'detail', 'km away');
    await button('trainer', 'I have arrived').click();
    await says('trainer', 'message', /You are still \d\.\d km away. Drive closer first./);
    await page.locator('#calls .result', { hasText: '400 NOT_AT_DESTINATION' }).waitFor();
    await state('trainer', 'tracking');
  });

  test('npm run dev ends while the page is open: the page says so, and is loaded again by the next run', async () => {
    expect(await dev.interrupt()).toBe(0);
    await page.getByText('does not answer any more').waitFor();
    await state('student', 'reconnecting');
    const next = { settings: { runId: randomUUID() }, page: 'This is the next run.' };
    const feed = { contentType: 'text/event-stream', body: 'retry: 1000\n\n' };
    await page.route('**/live-map/settings', (route) => route.fulfill({ json: next.settings }));
    await page.route(dev.url + '/', (route) => route.fulfill({ body: next.page }));
    await page.route('**/live-map/events', (route) => route.fulfill(feed));
    await page.getByText(next.page).waitFor();
  });

  test('no request went to another machine', () => {
    expect([...hosts]).toEqual(['localhost']);
  });
});

/** In the page: collects what the trainer's phone says. */
const recordMessages = `
  const message = document.querySelector('[data-phone="trainer"] [data-field="message"]');
  window.messages = [];
  new MutationObserver(() => window.messages.push(message.textContent)).observe(message, { childList: true, characterData: true, subtree: true });
`;

/** In the page: for each of three positions, the milliseconds from "sent" on one phone to its showing on the other. */
const delaysOfPositions = `new Promise((resolve) => {
  const delays = [];
  let sentAt;
  const sent = document.querySelector('[data-phone="trainer"] [data-field="sent"]');
  new MutationObserver(() => { sentAt = performance.now(); }).observe(sent, { childList: true });
  const marker = document.querySelector('#student-map .trainer');
  new MutationObserver(() => {
    if (sentAt === undefined) return;
    delays.push(performance.now() - sentAt);
    sentAt = undefined;
    if (delays.length === 3) resolve(delays);
  }).observe(marker, { attributeFilter: ['style'] });
})`;
