// Prints tokens and curl commands for the first sample session. Without packages: HS256 is one HMAC.
import { createHmac } from 'node:crypto';

const { AUTH_JWT_SECRET: secret = '', URL: url = 'http://127.0.0.1:3010' } = process.env;
const session = '5e55a000-0000-4000-8000-000000000001';
const users = {
  trainer: '7a100000-0000-4000-8000-000000000001',
  student: '57d00000-0000-4000-8000-000000000001',
  admin: 'ad300000-0000-4000-8000-000000000001',
};
const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

function token(role) {
  const claims = { sub: users[role], role, exp: Math.floor(Date.now() / 1000) + 12 * 3600 };
  const signed = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(claims)}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

const api = `${url}/api/v1/admin`;
console.log(`
export TRAINER='${token('trainer')}'
export STUDENT='${token('student')}'
export ADMIN='${token('admin')}'

curl -X POST ${api}/sessions/${session}/start-journey -H "Authorization: Bearer $TRAINER"
curl -X POST ${api}/location-tracking/journey/updates -H "Authorization: Bearer $TRAINER" -H 'Content-Type: application/json' \\
  -d '{"sessionId":"${session}","latitude":12.9779,"longitude":77.6408,"accuracy":8}'
curl '${api}/location-tracking/journey/live?sessionId=${session}' -H "Authorization: Bearer $STUDENT"
curl -X POST ${api}/sessions/${session}/arrived -H "Authorization: Bearer $TRAINER"
`);
