import { randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';
import express, { type Express, type Request, type Response } from 'express';
import type { LocalEventBus, ReceivedEvent } from '../../event-bus/local-event-bus.js';
import type { MapEvent, MapSettings } from './map-session.js';

const folder = import.meta.dirname;
const leafletFolder = dirname(createRequire(import.meta.url).resolve('leaflet/dist/leaflet.css'));
/** Events that a new page gets first. */
const EARLIER_EVENTS = 30;
const HEARTBEAT_MS = 10_000;

/** Serves the live map: phones, journeys, calls and events in a browser. */
export function serveLiveMap(app: Express, bus: LocalEventBus, settings: Omit<MapSettings, 'runId'>): void {
  const runId = randomUUID();
  // Bundled once, for the first page.
  let script: Promise<string> | undefined;
  app.get('/', (_request, response) => {
    response
      .set({ 'cache-control': 'no-store', 'content-security-policy': policyFor(settings) })
      .sendFile(join(folder, 'index.html'));
  });
  for (const style of ['style.css', 'phones.css', 'fleet.css'])
    app.get(`/live-map/${style}`, (_request, response) => {
      response.set('cache-control', 'no-cache').sendFile(join(folder, style));
    });
  app.get('/live-map/app.js', async (_request, response) => {
    script ??= bundle();
    response
      .set('cache-control', 'no-cache')
      .type('js')
      .send(await script);
  });
  app.use('/live-map/leaflet', express.static(leafletFolder, { index: false }));
  app.get('/live-map/settings', (_request, response) => {
    response.set('cache-control', 'no-store').json({ runId, ...settings });
  });
  app.get('/live-map/events', (request, response) => {
    sendEvents(bus, request, response);
  });
}

/** No requests to other machines, except for tiles if there are any, and no frames. */
function policyFor({ serviceUrl, tiles }: Omit<MapSettings, 'runId'>): string {
  const images = tiles === null ? '' : ' http: https:';
  return `default-src 'self'; connect-src 'self' ${serviceUrl}; img-src 'self' data:${images}; frame-ancestors 'none'`;
}

async function bundle(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(folder, 'browser/main')],
    bundle: true,
    format: 'esm',
    target: 'es2022',
    sourcemap: 'inline',
    write: false,
  });
  return outputFiles[0]?.text ?? '';
}

/** Server-sent events; a page that reconnects says which one it had last. */
function sendEvents(bus: LocalEventBus, request: Request, response: Response): void {
  response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
  const send = ({ number, receivedAt, detailType, detail }: ReceivedEvent) => {
    const event: MapEvent = { number, receivedAt, detailType, detail };
    response.write(`id: ${number}\ndata: ${JSON.stringify(event)}\n\n`);
  };
  const last = Number(request.get('Last-Event-ID') ?? 0);
  response.write('retry: 1000\n\n');
  for (const event of bus.received().slice(-EARLIER_EVENTS)) if (event.number > last) send(event);
  const stopListening = bus.onEvent(send);
  const heartbeat = setInterval(() => response.write(':\n\n'), HEARTBEAT_MS);
  response.on('close', () => {
    stopListening();
    clearInterval(heartbeat);
  });
}
