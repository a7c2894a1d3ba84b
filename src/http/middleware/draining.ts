import type { Response } from 'express';

/** While the process is draining every response is the last on its connection, so that none is closed under a request. */
export type Draining = (res: Response) => void;

export function drainingBy(isDraining: () => boolean): Draining {
  return (res) => {
    if (isDraining() && !res.headersSent) res.setHeader('Connection', 'close');
  };
}
