import type { Request } from 'express';
import { ApiError } from '../responses.js';

const MAX_BYTES = 16 * 1024;
const JSON_TYPE = /^application\/json\s*(?:;|$)/i;
const OTHER_CHARSET = /;\s*charset\s*=(?!\s*"?utf-?8"?\s*(?:;|$))/i;
const BYTE_ORDER_MARK = '\uFEFF';

/** The caller disconnected before the body was complete. */
export class RequestAbortedError extends Error {}

/**
 * Reads and parses a JSON body. express.json would cost more than the rest of the route.
 * @throws ApiError UNSUPPORTED_MEDIA_TYPE, PAYLOAD_TOO_LARGE or VALIDATION_FAILED; RequestAbortedError
 */
export async function readJson(req: Request): Promise<unknown> {
  const { 'content-type': type = '', 'content-encoding': encoding = 'identity' } = req.headers;
  if (!JSON_TYPE.test(type) || OTHER_CHARSET.test(type)) {
    throw new ApiError('UNSUPPORTED_MEDIA_TYPE', 'Send Content-Type: application/json in UTF-8.');
  }
  if (encoding.toLowerCase() !== 'identity') {
    throw new ApiError('UNSUPPORTED_MEDIA_TYPE', 'Send the body without Content-Encoding.');
  }
  const text = (await readBody(req)).toString('utf8');
  try {
    return JSON.parse(text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text);
  } catch {
    throw new ApiError('VALIDATION_FAILED', 'Validation failed: the body is not valid JSON.', [
      { path: 'body', message: 'must be a JSON object' },
    ]);
  }
}

/** For calls without a body: skips one. @throws ApiError PAYLOAD_TOO_LARGE; RequestAbortedError */
export async function skipBody(req: Request): Promise<void> {
  if (isTooLarge(req)) throw tooLarge();
  // The length of a chunked body is only known once it is read.
  if (req.headers['transfer-encoding'] !== undefined) await readBody(req);
}

function readBody(req: Request): Promise<Buffer> {
  if (isTooLarge(req)) throw tooLarge();
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    req.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= MAX_BYTES) chunks.push(chunk);
      else reject(tooLarge());
    });
    req.on('end', () => {
      resolve(Buffer.concat(chunks));
    });
    const abort = () => {
      if (!req.readableEnded) reject(new RequestAbortedError());
    };
    req.on('close', abort);
    req.on('error', abort);
  });
}

function isTooLarge(req: Request): boolean {
  return Number(req.headers['content-length'] ?? 0) > MAX_BYTES;
}

function tooLarge(): ApiError {
  const headers = { Connection: 'close' }; // The rest of the body stays unread.
  const message = `The body exceeds ${MAX_BYTES / 1024} KiB.`;
  return new ApiError('PAYLOAD_TOO_LARGE', message, { maxBytes: MAX_BYTES }, headers);
}
