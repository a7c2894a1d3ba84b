import { once } from 'node:events';
import { createServer } from 'node:http';
import express, { type Express, type NextFunction, type Request, type Response } from 'express';
import { getAbsoluteFSPath } from 'swagger-ui-dist';

export interface PageServer {
  port: number;
  /** The service has to allow calls from these. */
  origins: string[];
  app: Express;
  stop(): Promise<void>;
}

/** Serves the development pages, to this machine only, because they hold tokens. */
export async function startPageServer(port: number): Promise<PageServer> {
  const app = express().disable('x-powered-by');
  app.use(onlyFromHere);
  app.use('/swagger-ui', express.static(getAbsoluteFSPath(), { index: false }));
  const server = createServer((request, response) => void app(request, response));
  await once(server.listen(port, '127.0.0.1'), 'listening');
  return {
    port,
    origins: [`http://localhost:${port}`, `http://127.0.0.1:${port}`],
    app,
    stop: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Against DNS rebinding: a page of another name that resolves to this machine would get the tokens. */
function onlyFromHere(request: Request, response: Response, next: NextFunction): void {
  if (['localhost', '127.0.0.1'].includes(request.hostname)) next();
  else response.status(403).type('text').send('Open this page at localhost.');
}
