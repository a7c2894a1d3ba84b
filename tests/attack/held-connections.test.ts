import { startLocalEventBus, type LocalEventBus } from '../../src/dev/event-bus/local-event-bus.js';
import { RawConnection, wire } from '../support/raw-http.js';
import { metric } from '../support/running-service.js';
import { runServiceProcess, type ServiceProcess } from '../support/service-process.js';
import { until } from '../support/until.js';

let bus: LocalEventBus;
let service: ServiceProcess;
beforeAll(async () => {
  bus = await startLocalEventBus();
  service = await runServiceProcess(bus);
});
afterAll(async () => {
  service.kill('SIGKILL');
  await service.exited;
  await bus.stop();
});

/** Of the process: in this one they would be counted with the attacker's own. */
const connections = () => metric(service, 'nodejs_active_resources', 'type="TCPSocketWrap"');

const kinds = [
  '',
  'GET / HT',
  'GET / HTTP/1.1\r\nHost: x\r\nX-A: b',
  'hello\r\n\r\n',
  wire('GET /health/live HTTP/1.1', 'Host: x') + 'hello\r\n\r\n',
  wire('POST /api/v1/admin/location-tracking/journey/updates HTTP/1.1', 'Host: x', 'Content-Length: 9') + '{',
  wire('POST /health/live HTTP/1.1', 'Host: x', 'Transfer-Encoding: chunked') + '5\r\nhe',
];

test('connections that send nothing, half a request or nonsense, and are never closed by the caller, are let go after 20 s', async () => {
  const before = await connections();
  const held = Array.from({ length: 10 }, () => kinds.map((bytes) => new RawConnection(service.url, bytes)));
  await until('they are open', async () => (await connections()) > before + 40);
  await until('they are gone', async () => (await connections()) <= before + 2, 45_000);
  for (const connection of held.flat()) connection.close();
}, 70_000);
