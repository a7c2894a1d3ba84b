import { request } from 'node:http';

export interface RawAnswer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
}

export interface RawRequest {
  method?: string;
  headers?: Record<string, string | string[]>;
  /** Written one after the other; without a Content-Length header they go out chunked. */
  chunks?: (string | Buffer)[];
}

/** For what a well-meaning HTTP client would not send: the path and the headers go out as they are. */
export function rawRequest(
  url: string,
  path: string,
  { method = 'POST', headers = {}, chunks = [] }: RawRequest,
): Promise<RawAnswer> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    let answered = false;
    const call = request({ hostname, port, path, method, headers, agent: false }, (response) => {
      answered = true;
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text });
      });
      response.on('error', reject);
    });
    // A server that has answered may close before it has read all.
    call.on('error', (error) => {
      if (!answered) reject(error);
    });
    for (const chunk of chunks) call.write(chunk);
    call.end();
  });
}
