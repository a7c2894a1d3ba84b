import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'undici';
import { phoneFetch } from '../../../src/dev/load/phone-network.js';
import { Recorder } from '../../../src/dev/load/recorder.js';
import { startStubService } from '../../support/stub-service.js';

const path = '/api/v1/admin/location-tracking/journey/updates';

/** Faults of an update without an answer that the SDK gives up after this time. */
async function faultsAfter(elapsedMs: number): Promise<string[]> {
  const stub = await startStubService(() => 'hang');
  const dispatcher = new Pool(stub.url);
  const recorder = new Recorder();
  const expects = () => false;
  const fetch = phoneFetch({ dispatcher, recorder, sessionId: 's', mayWait: false, expects });
  const now = jest.spyOn(performance, 'now').mockReturnValue(0);
  const deadline = new AbortController();
  const call = fetch(stub.url + path, { method: 'POST', body: '{}', signal: deadline.signal });
  while (stub.calls.length === 0) await sleep(5);
  now.mockReturnValue(elapsedMs);
  deadline.abort();
  await expect(call).rejects.toThrow();
  now.mockRestore();
  await Promise.all([dispatcher.destroy(), stub.stop()]);
  return recorder.faults.map(({ what }) => what);
}

test('a call without an answer at the deadline of the SDK is a fault', async () => {
  expect(await faultsAfter(10_000)).toEqual(['update: no answer in time']);
});

test('a call that the phone does not need any more is no fault', async () => {
  expect(await faultsAfter(100)).toEqual([]);
});
