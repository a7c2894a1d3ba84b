/** The event bus as a process: prints each event as one JSON line. Needs no package. */
import { startLocalEventBus } from './local-event-bus.js';

const port = Number(process.env['PORT'] ?? 4010);
const bus = await startLocalEventBus({ port, host: '0.0.0.0' });
console.error(`event bus: PutEvents at ${bus.url}, received events at ${bus.url}/events`);
bus.onEvent((event) => {
  console.log(JSON.stringify(event));
});
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => void bus.stop());
}
