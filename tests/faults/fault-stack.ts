import { randomUUID } from 'node:crypto';
import { startPrivateRedis, type PrivateRedis } from '../support/private-redis.js';
import { builtService, type ServiceProcess, type Stack } from '../support/stack.js';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.js';
import type { Calls } from './calls.js';
import { UPDATE_INTERVAL_MS, type FaultSession } from './journeys.js';

const HOME = { latitude: 12.9716, longitude: 77.5946 };
/** The time that the balancer has to notice a process that drains. */
const DRAIN_MS = 1_500;

export interface FaultParts {
  stack: Stack;
  /** Its process can be stopped and killed. */
  redis: PrivateRedis;
  redisNetwork: TcpProxy;
  postgresNetwork: TcpProxy;
  busNetwork: TcpProxy;
}

/** The servers that the service needs, each behind a network that can fail. */
export class FaultStack {
  readonly parts: FaultParts;

  private constructor(parts: FaultParts) {
    this.parts = parts;
  }

  static async start(stack: Stack): Promise<FaultStack> {
    const redis = await startPrivateRedis();
    stack.onStop(() => redis.stop());
    const [redisNetwork, postgresNetwork, busNetwork] = await Promise.all([
      startTcpProxy(redis.url),
      startTcpProxy(stack.databaseUrl),
      startTcpProxy(stack.bus.url),
    ]);
    for (const network of [redisNetwork, postgresNetwork, busNetwork]) stack.onStop(() => network.stop());
    const faultStack = new FaultStack({ stack, redis, redisNetwork, postgresNetwork, busNetwork });
    // An interrupted run may stop in the middle of a fault.
    stack.onStop(() => faultStack.heal());
    return faultStack;
  }

  async sessions(count: number, calls: Calls): Promise<FaultSession[]> {
    const { stack } = this.parts;
    const rows = Array.from({ length: count }, () => ({
      ...{ sessionId: randomUUID(), trainerId: randomUUID(), studentId: randomUUID() },
      ...{ status: 'scheduled', home: HOME },
    }));
    await stack.insertSessions(rows);
    return Promise.all(
      rows.map(async ({ sessionId, trainerId, studentId, home }) => ({
        ...{ sessionId, home },
        trainer: calls.apiFor(await stack.tokens.issue(trainerId, 'trainer')),
        student: calls.apiFor(await stack.tokens.issue(studentId, 'student')),
      })),
    );
  }

  /** One more process, as production starts it, with more arguments for Node. */
  startService(nodeArgs: readonly string[] = []): Promise<ServiceProcess> {
    const { stack, redis, redisNetwork, postgresNetwork, busNetwork } = this.parts;
    const { command, folder } = builtService();
    const [node = '', ...args] = command;
    return stack.startService(
      { command: [node, ...nodeArgs, ...args], folder },
      {
        redisUrl: redisNetwork.urlFor(redis.url),
        databaseUrl: postgresNetwork.urlFor(stack.databaseUrl),
        eventBusUrl: busNetwork.urlFor(stack.bus.url),
      },
      { UPDATE_INTERVAL_MS: String(UPDATE_INTERVAL_MS), SHUTDOWN_DELAY_MS: String(DRAIN_MS) },
    );
  }

  heal(): void {
    const { stack, redis, redisNetwork, postgresNetwork, busNetwork } = this.parts;
    redis.thaw();
    for (const network of [redisNetwork, postgresNetwork, busNetwork]) network.heal();
    stack.bus.failWhile(undefined);
  }

  /** Locations in Redis without an active journey, counted in one atomic step. */
  async orphanedLocations(): Promise<number> {
    return Number(await this.parts.redis.client.eval(COUNT_ORPHANS, 0));
  }
}

const COUNT_ORPHANS = `
  local orphans = 0
  for _, pattern in ipairs({'location:trainer:*:session:*', 'journey:track:*'}) do
    for _, key in ipairs(redis.call('KEYS', pattern)) do
      if redis.call('EXISTS', 'journey:active:' .. string.sub(key, -36)) == 0 then orphans = orphans + 1 end
    end
  end
  return orphans`;
