/** The event bus as a process: prints each event as one JSON line. Needs no package. */
import { startLocalEventBus } from './local-event-bus.js';

const port = Number(process.env['PORT'] ?? 4010);
if (!Number.isInteger(port) || port < 0 || port > 65_535) {
  console.error('PORT must be a port number.');
  process.exit(1);
}
const bus = await startLocalEventBus({ port, host: '0.0.0.0' }).catch((error: unknown) => {
  console.error(`The event bus cannot listen: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
});
console.error(`event bus: PutEvents at ${bus.url}, received events at ${bus.url}/events?since=0`);
bus.onEvent((event) => {
  console.log(JSON.stringify(event));
});
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => void bus.stop());
}
