import { TokenIssuer } from '../../../src/dev/tokens.js';
import { SECRET } from '../../support/tokens.js';

const tokens = new TokenIssuer(SECRET);

/** A single call by fetch: a GET, or a POST where there is a body. */
export async function callApi(
  port: number,
  path: string,
  caller: { userId: string; role: 'trainer' | 'student' },
  body?: object,
): Promise<Response> {
  const authorization = `Bearer ${await tokens.issue(caller.userId, caller.role)}`;
  return fetch(`http://127.0.0.1:${port}/api/v1/admin${path}`, {
    headers: { authorization, 'content-type': 'application/json' },
    ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
  });
}
