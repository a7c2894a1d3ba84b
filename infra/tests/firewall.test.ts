import { JourneyApi, StudentWatcher, TrainerTracker } from '../../src/client/index.js';
import { VirtualClock } from '../../src/client/testing/virtual-clock.js';
import { BLOCKED } from '../stack/firewall-response.js';
import { resources, templateOf, theOnly } from './support/a-stack.js';

interface RateRule {
  Name: string;
  Statement: { RateBasedStatement: Record<string, unknown> };
  Action: { Block: { CustomResponse: Record<string, unknown> } };
  VisibilityConfig: Record<string, unknown>;
}

const acl = (changes = {}) => theOnly(templateOf('prod', changes), 'AWS::WAFv2::WebACL');
const rules = (changes = {}) => acl(changes)['Rules'] as RateRule[];

test('requests are limited by address and by Authorization header, in numbers that the stage can set', () => {
  const statements = rules({ firewall: { requestsPerToken: 500 } }).map(
    ({ Statement }) => Statement.RateBasedStatement,
  );
  expect(statements).toEqual([
    { AggregateKeyType: 'IP', Limit: 600_000, EvaluationWindowSec: 300 },
    {
      AggregateKeyType: 'CUSTOM_KEYS',
      CustomKeys: [
        { Header: { Name: 'Authorization', TextTransformations: [{ Priority: 0, Type: 'NONE' }] } },
      ],
      Limit: 500,
      EvaluationWindowSec: 300,
    },
  ]);
});

test('a blocked caller gets 429 with Retry-After, and tokens are not sampled', () => {
  const { CustomResponseBodies } = acl();
  expect(CustomResponseBodies).toEqual({
    blocked: { ContentType: 'APPLICATION_JSON', Content: BLOCKED.body },
  });
  for (const { Action, VisibilityConfig } of rules()) {
    expect(Action.Block.CustomResponse).toEqual({
      ResponseCode: 429,
      CustomResponseBodyKey: 'blocked',
      ResponseHeaders: [{ Name: 'Retry-After', Value: '60' }],
    });
    expect(VisibilityConfig).toMatchObject({ SampledRequestsEnabled: false });
  }
});

test('the load balancer is protected, and serves without a firewall that is unavailable', () => {
  const template = templateOf('prod');
  template.resourceCountIs('AWS::WAFv2::WebACLAssociation', 1);
  const { LoadBalancerAttributes } = theOnly(template, 'AWS::ElasticLoadBalancingV2::LoadBalancer');
  expect(LoadBalancerAttributes).toContainEqual({ Key: 'waf.fail_open.enabled', Value: 'true' });
  const without = templateOf('prod', { firewall: { isEnabled: false } });
  expect(resources(without, 'AWS::WAFv2::WebACL')).toEqual({});
});

/** An API that is blocked from its second call to the fourth. */
function aBlockedApi(answers: Record<string, object>) {
  const clock = new VirtualClock();
  let calls = 0;
  const send: typeof fetch = (url) => {
    const path = Object.keys(answers).find((each) => (url as string).includes(each)) ?? '';
    calls++;
    const isBlocked = calls > 1 && calls <= 4;
    return Promise.resolve(
      isBlocked
        ? new Response(BLOCKED.body, { status: BLOCKED.status, headers: BLOCKED.headers })
        : Response.json({ success: true, data: answers[path] }, { status: 201 }),
    );
  };
  const api = new JourneyApi({
    baseUrl: 'https://journeys.example.org',
    getToken: () => 't',
    fetch: send,
    clock,
  });
  return { api, clock, calls: () => calls };
}

const sessionId = '0f8fad5b-d9cb-469f-a165-70867728950e';
const startedAt = '2026-12-01T08:00:00.000Z';
const expiresAt = '2026-12-01T09:00:00.000Z';

test('a block ends no trainer: the position is sent after Retry-After', async () => {
  const { api, clock } = aBlockedApi({
    'start-journey': { sessionId, startedAt, expiresAt, nextUpdateMs: 5_000 },
    updates: { sessionId, timestamp: startedAt, ttl: 300, nextUpdateMs: 5_000 },
  });
  const tracker = new TrainerTracker({ api, sessionId });
  await tracker.start();
  const outcome = tracker.push({ coords: { latitude: 1, longitude: 1 } });
  await clock.advance(59_000);
  expect(tracker.tracked).toMatchObject({ state: 'reconnecting', lastError: { status: 429 } });
  await clock.advance(240_000);
  expect([await outcome, tracker.state]).toEqual(['sent', 'tracking']);
  tracker.close();
});

test('a block ends no student: the journey is shown again after Retry-After', async () => {
  const journey = { sessionId, isActive: true, location: null, startedAt, expiresAt, nextPollMs: 5_000 };
  const { api, clock, calls } = aBlockedApi({ live: journey });
  const watcher = new StudentWatcher({ api, sessionId });
  watcher.start();
  await clock.advance(10_000);
  expect([calls(), watcher.state]).toEqual([2, 'reconnecting']);
  await clock.advance(240_000);
  expect(watcher.state).toBe('waiting');
  watcher.close();
});
