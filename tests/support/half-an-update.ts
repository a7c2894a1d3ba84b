import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { metersNorth } from './a-session.js';

export interface HalfAnUpdate {
  socket: Socket;
  sendTheRest(): void;
  /** The first line of the answer, once the connection is closed. */
  statusLine: Promise<string>;
}

/** An update that is under way: the service has read its head, and half of the body is sent. */
export async function halfAnUpdate(
  serviceUrl: string,
  { sessionId, trainerToken, requestId }: { sessionId: string; trainerToken: string; requestId?: string },
): Promise<HalfAnUpdate> {
  const body = JSON.stringify({ sessionId, ...metersNorth(100) });
  const socket = await connected(serviceUrl);
  const head = [
    'POST /api/v1/admin/location-tracking/journey/updates HTTP/1.1',
    'Host: service',
    `Authorization: Bearer ${trainerToken}`,
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
    ...(requestId === undefined ? [] : [`X-Request-Id: ${requestId}`]),
    'Expect: 100-continue',
  ];
  // "Continue" is how the service says that it has the head.
  const continued = once(socket, 'data');
  socket.write(`${head.join('\r\n')}\r\n\r\n`);
  await continued;
  const half = body.length >> 1;
  socket.write(body.slice(0, half));
  const statusLine = new Promise<string>((resolve) => {
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk.toString();
    });
    socket.on('close', () => {
      resolve(text.split('\r\n')[0] ?? '');
    });
  });
  return { socket, sendTheRest: () => void socket.write(body.slice(half)), statusLine };
}

export async function connected(serviceUrl: string): Promise<Socket> {
  const socket = connect(Number(new URL(serviceUrl).port), '127.0.0.1');
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}
