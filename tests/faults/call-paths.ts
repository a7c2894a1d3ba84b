const basePath = '/api/v1/admin';
export const updatesPath = `${basePath}/location-tracking/journey/updates`;
export const livePath = (sessionId: string) =>
  `${basePath}/location-tracking/journey/live?sessionId=${sessionId}`;
export const sessionPath = (sessionId: string, call: string) => `${basePath}/sessions/${sessionId}/${call}`;
