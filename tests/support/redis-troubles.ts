import type { PrivateRedis } from './private-redis.js';
import { testWithRedisProcess } from './redis-process-test.js';
import type { TcpProxy } from './tcp-proxy.js';

export interface RedisTrouble {
  test: typeof test;
  begin: () => unknown;
  end: () => unknown;
  /** A command may have reached Redis although its answer is lost. */
  mayHaveArrived: boolean;
}

/** Ways in which a Redis behind a proxy fails; both are started before a trouble begins. */
export function redisTroubles(redis: () => PrivateRedis, proxy: () => TcpProxy) {
  const troubles: [name: string, trouble: RedisTrouble][] = [
    [
      'the connection to Redis is cut',
      { test, begin: () => proxy().cut(), end: () => proxy().heal(), mayHaveArrived: false },
    ],
    [
      'the connection to Redis passes nothing',
      { test, begin: () => proxy().freeze(), end: () => proxy().heal(), mayHaveArrived: true },
    ],
    [
      'the process of Redis is killed',
      {
        test: testWithRedisProcess,
        begin: () => redis().kill(),
        end: () => redis().startAgain({ withData: true }),
        mayHaveArrived: false,
      },
    ],
    [
      'the process of Redis hangs',
      {
        test: testWithRedisProcess,
        begin: () => redis().freeze(),
        end: () => redis().thaw(),
        mayHaveArrived: true,
      },
    ],
  ];
  return troubles;
}
