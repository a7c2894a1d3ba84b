import { X509Certificate } from 'node:crypto';
import { z } from 'zod';
import { integer, name, text, url } from './fields.js';

const URL_EXAMPLE = 'postgres://user:password@127.0.0.1:5432/platform';
const PARTS = ['DATABASE_HOST', 'DATABASE_NAME', 'DATABASE_USERNAME', 'DATABASE_PASSWORD'];

export const databaseFields = {
  DATABASE_URL: url(['postgres:', 'postgresql:'], URL_EXAMPLE).optional(),
  DATABASE_HOST: name('a host name').optional(),
  DATABASE_PORT: integer(1, 65_535, 5432),
  DATABASE_NAME: name('a database name').optional(),
  DATABASE_USERNAME: text().optional(),
  DATABASE_PASSWORD: text().optional(),
  DATABASE_CA: z
    .string()
    .transform((pem, { issues }) => {
      const certificates = parseCertificates(pem);
      if (certificates !== null) return certificates;
      const message = 'must be PEM certificates, with line breaks or \\n between their lines';
      issues.push({ code: 'custom', message, input: pem });
      return z.NEVER;
    })
    .optional(),
  POSTGRES_TIMEOUT_MS: integer(10, 900, 800),
};

export interface DatabaseConfig {
  url: string;
  timeoutMs: number;
  /** PEM. If set, the connection is encrypted and the server's certificate checked. */
  ca: string | undefined;
}

type Parsed = z.output<z.ZodObject<typeof databaseFields>>;

export function databaseSettings(env: Parsed): DatabaseConfig {
  const ca = env.DATABASE_CA;
  const address = databaseUrl(env);
  // pg lets the TLS parameters of a URL replace the certificate authority.
  const url = ca === undefined ? address : withoutTlsParameters(address);
  return { url, timeoutMs: env.POSTGRES_TIMEOUT_MS, ca };
}

function databaseUrl(env: Parsed): string {
  if (env.DATABASE_URL !== undefined) return env.DATABASE_URL;
  const [user, password] = [env.DATABASE_USERNAME, env.DATABASE_PASSWORD].map((value = '') =>
    encodeURIComponent(value),
  );
  return `postgres://${user}:${password}@${env.DATABASE_HOST}:${env.DATABASE_PORT}/${env.DATABASE_NAME}`;
}

function withoutTlsParameters(address: string): string {
  const bare = new URL(address);
  for (const parameter of ['ssl', 'sslmode', 'sslnegotiation', 'uselibpqcompat']) {
    bare.searchParams.delete(parameter);
  }
  return bare.href;
}

/** Either the URL or its parts: with both it would be unclear which one applies. */
export function databaseProblems(set: Record<string, string | undefined>): string[] {
  const parts = [...PARTS, 'DATABASE_PORT'].filter((key) => set[key] !== undefined);
  const { DATABASE_URL, DATABASE_CA } = set;
  if (DATABASE_URL !== undefined) {
    const problems = parts.map((key) => `${key} must not be set if DATABASE_URL is set`);
    return DATABASE_CA === undefined ? problems : [...problems, ...tlsProblems(DATABASE_URL)];
  }
  const missing = PARTS.filter((key) => set[key] === undefined);
  if (parts.length > 0) return missing.map((key) => `${key} must be set if ${parts.join(', ')} is set`);
  return [`DATABASE_URL must be set, for example ${URL_EXAMPLE}; or else ${PARTS.join(', ')}`];
}

/** Of a URL beside DATABASE_CA, which means an encrypted connection that is verified with these certificates. */
function tlsProblems(address: string): string[] {
  if (!URL.canParse(address)) return [];
  const { searchParams } = new URL(address);
  const contradictions = [
    ...['disable', 'allow', 'no-verify'].map((mode) => ['sslmode', mode] as const),
    ...['false', '0'].map((value) => ['ssl', value] as const),
    ...['sslrootcert', 'sslcert', 'sslkey'].map((parameter) => [parameter, undefined] as const),
  ];
  return contradictions
    .filter(([parameter, value]) => searchParams.has(parameter, value))
    .map(([parameter, value]) => {
      const what = value === undefined ? parameter : `${parameter}=${value}`;
      return `DATABASE_URL must not contain ${what} if DATABASE_CA is set`;
    });
}

/** The certificates in PEM with proper line breaks, which environment variables often lose; null if one is invalid. */
function parseCertificates(pem: string): string | null {
  const blocks = pem.split('-----BEGIN CERTIFICATE-----').slice(1);
  if (blocks.length === 0) return null;
  try {
    const certificates = blocks.map((block) => {
      const [body = '', rest] = block.split('-----END CERTIFICATE-----');
      if (rest === undefined) throw new Error('truncated');
      const der = Buffer.from(body.replace(/\\[rn]|\s/g, ''), 'base64');
      return new X509Certificate(der).toString();
    });
    return certificates.join('');
  } catch {
    return null;
  }
}
