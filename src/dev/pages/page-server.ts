import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type Express, type NextFunction, type Request, type Response } from 'express';
import { getAbsoluteFSPath } from 'swagger-ui-dist';

export interface PageServer {
  port: number;
  /** The pages call the service, which has to allow these. */
  origins: string[];
  app: Express;
  stop(): Promise<void>;
}

/** Serves the development pages, to this machine only, because they hold tokens. */
export async function startPageServer(preferredPort: number): Promise<PageServer> {
  const app = express().disable('x-powered-by');
  app.use(onlyFromHere);
  app.use('/swagger-ui', express.static(getAbsoluteFSPath(), { index: false }));
  const server = createServer((request, response) => void app(request, response));
  const port = await listen(server, preferredPort).catch(() => listen(server, 0));
  return {
    port,
    origins: [`http://localhost:${port}`, `http://127.0.0.1:${port}`],
    app,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

/** A page from elsewhere whose name resolves to this machine would otherwise be given the tokens (DNS rebinding). */
function onlyFromHere(request: Request, response: Response, next: NextFunction): void {
  if (['localhost', '127.0.0.1'].includes(request.hostname)) next();
  else response.status(403).type('text').send('These pages are for this machine: open them at localhost.');
}

/** A page of this path, made anew for each visit. */
export function servePage(app: Express, path: string, page: () => string): void {
  app.get(path, (_request, response) => {
    response.set('cache-control', 'no-store').type('html').send(page());
  });
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}
