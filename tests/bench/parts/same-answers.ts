import { isDeepStrictEqual } from 'node:util';
import { journeyAt, tokens } from '../bench-journeys.js';
import type { Contender } from '../contender-process.js';

/** What is different a moment later, and in a process that is busier. */
const PASSING = new Set([
  ...['ageMs', 'uncertaintyMeters', 'nextPollMs'],
  ...['etaSeconds', 'etaLowSeconds', 'etaHighSeconds'],
]);

/** @throws where two contenders that should do the same show a different state of the first journey */
export async function checkSameAnswers(one: Contender, other: Contender): Promise<void> {
  const [ones, others] = [await shownBy(one), await shownBy(other)];
  if (isDeepStrictEqual(ones, others)) return;
  throw new Error(
    `${one.name} shows ${JSON.stringify(ones)}, and ${other.name} shows ${JSON.stringify(others)}`,
  );
}

async function shownBy({ port }: Contender): Promise<object> {
  const { sessionId, studentId } = journeyAt(0);
  const url = `http://127.0.0.1:${port}/api/v1/admin/location-tracking/journey/live?sessionId=${sessionId}`;
  const headers = { Authorization: `Bearer ${await tokens.issue(studentId, 'student')}` };
  const answer = await fetch(url, { headers });
  const { data = {} } = (await answer.json()) as { data?: Record<string, unknown> };
  const lasting = Object.entries(data).map(([name, value]) => [
    name,
    PASSING.has(name) ? typeof value : value,
  ]);
  const state = Object.fromEntries(lasting) as object;
  return { status: answer.status, etag: answer.headers.get('ETag'), state };
}
