/**
 * What a blocked caller gets. 429, because a 5xx would look like a failure of the service; not in the service's envelope,
 * so that the apps' SDK takes it for an outage and retries after Retry-After.
 */
export const BLOCKED = {
  status: 429,
  headers: { 'Retry-After': '60' },
  body: JSON.stringify({ message: 'Too many requests. Retry later.' }),
};
