import { withTimeout } from '../journeys/errors.js';
import { isDenied } from './connection.js';
import type { RedisConnections } from './connections.js';
import type { Keys } from './keys.js';

const INTERVAL_MS = 5_000;
const NO_SESSION = '00000000-0000-0000-0000-000000000000';

/** What the service needs of Redis; undefined where Redis has not answered yet or does not say it. */
export interface RedisReport {
  /** Commands that Redis denies to this user, with their key or channel. */
  denied: string[];
  maxmemoryPolicy: string | undefined;
  version: string | undefined;
}

type Connections = Pick<RedisConnections, 'redis' | 'partitions' | 'changes' | 'changesPrefix' | 'lifecycle'>;

/**
 * Checks repeatedly that the Redis user may do what the service does, and that Redis never evicts keys. Each right is tried
 * with a command that changes nothing: ACL DRYRUN would need rights of its own, and ElastiCache forbids CONFIG GET.
 */
export class RedisCheck {
  readonly #dependencies: ConstructorParameters<typeof RedisCheck>[0];
  #timer: NodeJS.Timeout | undefined;
  #report: RedisReport | undefined;

  constructor(dependencies: {
    connections: Connections;
    commandTimeoutMs: number;
    /** Called with each report that differs from the one before. */
    onReport: (report: RedisReport) => void;
  }) {
    this.#dependencies = dependencies;
  }

  /** Whether scripts may be denied commands or keys: then a call could fail after its first write. */
  get isForbidden(): boolean {
    return this.#report?.denied.some((command) => !isAboutChannels(command)) ?? false;
  }

  async start(): Promise<void> {
    const run = () => this.#run().catch(() => undefined);
    this.#timer = setInterval(() => void run(), INTERVAL_MS);
    await run();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Whether the user has all rights; checks again unless it had them. @throws if Redis does not answer */
  async hasRights(): Promise<boolean> {
    const report = this.#report?.denied.length === 0 ? this.#report : await this.#run();
    return report.denied.length === 0;
  }

  async #run(): Promise<RedisReport> {
    const { connections, commandTimeoutMs, onReport } = this.#dependencies;
    const report = await withTimeout(commandTimeoutMs, 'redis', readReport(connections));
    const isNew = JSON.stringify(report) !== JSON.stringify(this.#report);
    this.#report = report;
    if (isNew) onReport(report);
    return report;
  }
}

function isAboutChannels(command: string): boolean {
  return /^(UN)?SUBSCRIBE|^PUBLISH/.test(command);
}

async function readReport(connections: Connections): Promise<RedisReport> {
  const { redis, partitions, changes, changesPrefix } = connections;
  const keys = partitions.keysOf(NO_SESSION);
  const commands = [
    ...commandsOn(keys),
    ['PUBLISH', `${changesPrefix}${NO_SESSION}`, ''],
    ...(connections.lifecycle === undefined ? [] : [['WAIT', '0', '1']]),
  ];
  const tried = await Promise.all([
    ...commands.map(([name = '', ...args]) => denial(`${name} ${args[0] ?? ''}`, redis.call(name, ...args))),
    denial(`EVALSHA ${keys.expiries}`, redis.dueJourneys(keys.expiries, '', 0)),
    denial(`SUBSCRIBE ${changesPrefix}`, changes.tryOut()),
  ]);
  const info = await redis.info().catch(() => '');
  return {
    denied: tried.filter((command) => command !== null),
    maxmemoryPolicy: /^maxmemory_policy:(\S+)/m.exec(info)?.[1],
    version: /^redis_version:(\S+)/m.exec(info)?.[1],
  };
}

/** For every command of the scripts and the relay one that changes nothing, on every kind of key. */
function commandsOn(keys: Keys): string[][] {
  const [active, stream] = [keys.active(NO_SESSION), keys.outbox];
  const texts = [
    ...[active, keys.ended(NO_SESSION), keys.track(NO_SESSION), keys.meta(NO_SESSION)],
    ...[keys.missing(NO_SESSION), keys.location(NO_SESSION, NO_SESSION), keys.rate(NO_SESSION)],
    ...[keys.staleTold(NO_SESSION), keys.firstAnswer('start', NO_SESSION, { callerId: '', key: '' })],
  ];
  return [
    ...texts.flatMap((key) => [
      ['SET', key, '', 'XX'],
      ['GET', key],
    ]),
    ...['MGET', 'DEL', 'EXISTS', 'PTTL'].map((command) => [command, active]),
    ['ZCARD', keys.oldExpiries],
    ...[keys.expiries, keys.relays].map((key) => ['ZADD', key, 'XX', '0', NO_SESSION]),
    ['ZREM', keys.expiries, NO_SESSION],
    ['ZSCORE', keys.expiries, NO_SESSION],
    ['ZRANGEBYSCORE', keys.expiries, '0', '0'],
    ...[stream, keys.deadLetters].map((key) => ['XADD', key, 'NOMKSTREAM', '0-0', 'a', 'b']),
    ['XLEN', stream],
    ['XRANGE', stream, '-', '-'],
    ['XACK', stream, 'check', '0-1'],
    ['XDEL', stream, '0-1'],
    ['XREADGROUP', 'GROUP', 'check', 'check', 'STREAMS', stream, '0'],
    ['XPENDING', stream, 'check'],
    ['XCLAIM', stream, 'check', 'check', '0', '0-1'],
    ['XINFO', 'CONSUMERS', stream, 'check'],
    ['XGROUP', 'DELCONSUMER', stream, 'check', 'check'],
    ['XGROUP', 'CREATE', stream, 'check', 'invalid'],
    ['TIME'],
    ['CLIENT', 'ID'],
    ['CLIENT', 'UNBLOCK', '0'],
  ];
}

/** The command if Redis denies it. Any other error reply comes after the check of rights. @throws without a reply */
async function denial(command: string, attempt: Promise<unknown>): Promise<string | null> {
  try {
    await attempt;
    return null;
  } catch (error) {
    if (isDenied(error)) return command.trim();
    if (error instanceof Error && error.name === 'ReplyError' && !/^(NOAUTH|WRONGPASS)/.test(error.message)) return null;
    throw error;
  }
}
