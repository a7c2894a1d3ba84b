import type { Reaper } from './servers/reaper.js';
import type { LocalServer, LocalServerOptions } from './servers/server-process.js';
import type { Screen } from './terminal/screen.js';

/** A server to work with, and whether it is ours to fill and to leave as it is. */
export interface AvailableServer extends Pick<LocalServer, 'url' | 'pid' | 'ended' | 'stop'> {
  isOurs: boolean;
  /** For the screen, where a password of the user's own has no place. */
  shownUrl: string;
}

export interface ServerKind {
  start: (options: LocalServerOptions) => Promise<LocalServer>;
  /** Rejects when there is none at the URL that answers. */
  isReady: (url: string) => Promise<void>;
}

/** The server that the user names, or else a throw-away one. */
export async function givenOrLocal(
  name: string,
  givenUrl: string | undefined,
  { start, isReady }: ServerKind,
  { screen, reaper }: { screen: Screen; reaper: Reaper },
): Promise<AvailableServer> {
  if (givenUrl) {
    const look = () =>
      isReady(givenUrl).catch((error: unknown) => {
        throw new Error(`The ${name} that the environment names does not answer: ${reasonOf(error)}`);
      });
    await screen.step(`looking for ${name}`, look, () => 'yours, from the environment');
    const never = new Promise<string>(() => undefined);
    return {
      url: givenUrl,
      pid: undefined,
      shownUrl: 'yours, from the environment',
      isOurs: false,
      ended: never,
      stop: () => Promise.resolve(),
    };
  }
  const say = (line: string) => {
    screen.tell(line);
  };
  const server = await screen.step(
    `starting ${name}`,
    () => start({ reaper, say }),
    ({ means }) => means,
  );
  return { ...server, isOurs: true, shownUrl: server.url };
}

/** Node puts what went wrong with each address of a host into an AggregateError without a message. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join('; ');
  return error instanceof Error ? error.message : String(error);
}
