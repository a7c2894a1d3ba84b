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

type Connections = Pick<RedisConnections, 'redis' | 'partitions' | 'changes' | 'lifecycle'>;

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

  /** Whether Redis has answered since the start. */
  get wasReached(): boolean {
    return this.#report !== undefined;
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

async function readReport({ redis, partitions, changes, lifecycle }: Connections): Promise<RedisReport> {
  const keys = partitions.keysOf(NO_SESSION);
  const channel = changes.prefix + NO_SESSION;
  const commands = [
    ...commandsOn(keys),
    ['PUBLISH', channel, ''],
    ...(lifecycle === undefined ? [] : [['WAIT', '0', '1']]),
  ];
  const tried = await Promise.all([
    ...commands.map(([name = '', ...args]) => denial(`${name} ${args[0] ?? ''}`, redis.call(name, ...args))),
    denial(`EVALSHA ${keys.expiries}`, redis.dueJourneys(keys.expiries, '', 0)),
    denial(`SUBSCRIBE ${channel}`, changes.tryOut(channel)),
  ]);
  const info = await redis.info().catch((error: unknown) => {
    if (isDenied(error)) return '';
    throw error;
  });
  return {
    denied: tried.filter((command) => command !== null),
    maxmemoryPolicy: /^maxmemory_policy:(\S+)/m.exec(info)?.[1],
    version: /^redis_version:(\S+)/m.exec(info)?.[1],
  };
}

/** Each command of the scripts and the relay, with arguments that change nothing, on every kind of key. */
function commandsOn(keys: Keys): string[][] {
  const [active, location] = [keys.active(NO_SESSION), keys.location(NO_SESSION, NO_SESSION)];
  const [first, stale] = [
    keys.firstAnswer('', NO_SESSION, { callerId: '', key: '' }),
    keys.staleTold(NO_SESSION),
  ];
  const support = [keys.timeline(NO_SESSION), keys.watched(NO_SESSION), keys.watchRefused(NO_SESSION)];
  const texts = [
    ...keys.lifecycle(NO_SESSION).slice(0, 4),
    location,
    keys.rate(NO_SESSION),
    first,
    stale,
    ...support,
  ];
  const on = (key: string, commands: string) =>
    commands.split(', ').map((command) => {
      const [name = '', ...args] = command.split(' ');
      return [name, key, ...args];
    });
  return [
    ...[...texts, keys.missing(NO_SESSION)].flatMap((key) => on(key, 'GET, SET - XX')),
    ...on(active, 'MGET, DEL, EXISTS, PTTL'),
    ...on(keys.expiries, 'ZADD XX 0 -, ZREM -, ZSCORE -, ZRANGEBYSCORE 0 0'),
    ...[keys.oldExpiries, keys.relays].flatMap((key) => on(key, 'ZCARD, ZADD XX 0 -')),
    ...[keys.outbox, keys.deadLetters].flatMap((key) => on(key, 'XADD NOMKSTREAM 0-0 - -')),
    ...on(keys.outbox, 'XLEN, XRANGE - -, XACK - 0-1, XDEL 0-1, XPENDING -, XCLAIM - - 0 0-1'),
    ...on(keys.outbox, 'XAUTOCLAIM - - 0 0'),
    ['XREADGROUP', 'GROUP', '-', '-', 'STREAMS', keys.outbox, '0'],
    ['XGROUP', 'DELCONSUMER', keys.outbox, '-', '-'],
    ['XGROUP', 'CREATE', keys.outbox, '-', '-'],
    ...[['EVAL', 'return 1', '1', active], ['TIME'], ['CLIENT', 'ID'], ['CLIENT', 'UNBLOCK', '0']],
  ];
}

/** The command if Redis denies it. Any other error reply comes after the check of rights. @throws without a reply */
async function denial(command: string, attempt: Promise<unknown>): Promise<string | null> {
  try {
    await attempt;
    return null;
  } catch (error) {
    if (isDenied(error)) return command.trim();
    if (error instanceof Error && error.name === 'ReplyError' && !/^(NOAUTH|WRONGPASS)/.test(error.message))
      return null;
    throw error;
  }
}
