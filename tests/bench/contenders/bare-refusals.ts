/** As little as node:http can do with a request: what is beyond this cannot be refused either, by whatever rule. */
import { createServer } from 'node:http';

const body = '{"success":false}';

createServer((_req, res) => {
  res.writeHead(503, { 'Retry-After': '5', 'Content-Length': body.length }).end(body);
}).listen(Number(process.env['PORT']));
