import { setTimeout as pause } from 'node:timers/promises';
import { ConfigError, readConfig, type Config } from './config.js';
import { withTimeout } from './journeys/errors.js';
import { HELP, parseCommand, UsageError, type Command } from './ops/command-line.js';
import { runCommand } from './ops/run-command.js';
import { readBacklog, type Backlog } from './store/backlog.js';
import { redisConnections, type RedisConnections } from './store/connections.js';

const CONNECT_TIMEOUT_MS = 3_000;
const CONNECT_INTERVAL_MS = 100;

/** Wrong command line or settings; every other failure is 1. */
const USAGE_EXIT_CODE = 2;

process.exitCode = await main(process.argv.slice(2)).catch((error: unknown) => {
  const isUsage = error instanceof UsageError || error instanceof ConfigError;
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`${message}\n${error instanceof UsageError ? `\n${HELP}` : ''}`);
  return isUsage ? USAGE_EXIT_CODE : 1;
});

async function main(args: string[]): Promise<number> {
  const command = parseCommand(args);
  if (command.name === 'help') process.stdout.write(HELP);
  else await runOnRedis(command, readConfig());
  return 0;
}

async function runOnRedis(command: Exclude<Command, { name: 'help' }>, config: Config): Promise<void> {
  let lastError: unknown;
  const connections = redisConnections({
    settings: config.redis,
    rules: config.rules,
    onError: () => (error) => {
      lastError = error;
    },
  });
  try {
    await connections.connect();
    const backlog = await firstBacklog(connections, config, () => lastError);
    const { redis, partitions } = connections;
    const [seconds] = await redis.time();
    const operated = {
      ...{ redis, partitions, nowMs: Number(seconds) * 1_000 },
      journeyTtlSeconds: config.rules.journeyTtlSeconds,
    };
    process.stdout.write(`${(await runCommand(command, operated, backlog)).join('\n')}\n`);
  } finally {
    connections.disconnect();
    connections.single?.reader.disconnect();
  }
}

/** Repeated, because the nodes of a cluster are connected one after the other. */
async function firstBacklog(
  { redis, partitions }: RedisConnections,
  { redis: { commandTimeoutMs } }: Config,
  lastError: () => unknown,
): Promise<Backlog> {
  const giveUpAtMs = performance.now() + CONNECT_TIMEOUT_MS;
  for (;;) {
    try {
      return await withTimeout(commandTimeoutMs, 'redis', readBacklog(redis, partitions));
    } catch (error) {
      if (performance.now() > giveUpAtMs) {
        const cause = lastError() ?? error;
        const message = cause instanceof Error ? cause.message : String(cause);
        throw new Error(`Redis is unavailable: ${message}`, { cause });
      }
      await pause(CONNECT_INTERVAL_MS);
    }
  }
}
