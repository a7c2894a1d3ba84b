import { Client, Pool } from 'undici';

/** Shorter than the 60 s of a load balancer, so that no request meets a connection that is being closed. */
const idleMs = 30_000;
const timeouts = { keepAliveTimeout: idleMs, keepAliveMaxTimeout: idleMs, connectTimeout: 10_000 };

/** For all requests but those that wait. */
export function openPool({ origin }: URL): Pool {
  return new Pool(origin, { ...timeouts, connections: 1_000 });
}

/** For a student who waits. */
export function openConnection({ origin }: URL): Client {
  return new Client(origin, timeouts);
}
