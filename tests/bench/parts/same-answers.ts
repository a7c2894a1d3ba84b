import { isDeepStrictEqual } from 'node:util';
import type { RunningContender } from '../bench.js';
import { journeyAt } from '../bench-journeys.js';
import { callApi } from './calls.js';

/** Fields that depend on the moment and on the load of the process. */
const volatile = [
  'ageMs',
  'uncertaintyMeters',
  'nextPollMs',
  'etaSeconds',
  'etaLowSeconds',
  'etaHighSeconds',
];

/** @throws where two contenders with the same features show a different state of the first journey */
export async function checkSameAnswers(one: RunningContender, other: RunningContender): Promise<void> {
  const [shown, otherShown] = [await shownBy(one), await shownBy(other)];
  if (isDeepStrictEqual(shown, otherShown)) return;
  throw new Error(
    `${one.contender.name}: ${JSON.stringify(shown)}, ${other.contender.name}: ${JSON.stringify(otherShown)}`,
  );
}

async function shownBy({ port }: RunningContender): Promise<object> {
  const { sessionId, studentId } = journeyAt(0);
  const path = `/location-tracking/journey/live?sessionId=${sessionId}`;
  const answer = await callApi(port, path, { userId: studentId, role: 'student' });
  const { data = {} } = (await answer.json()) as { data?: Record<string, unknown> };
  const fields = Object.entries(data).map(([name, value]) => [
    name,
    volatile.includes(name) ? typeof value : value,
  ]);
  const state = Object.fromEntries(fields) as object;
  return { status: answer.status, etag: answer.headers.get('ETag'), state };
}
