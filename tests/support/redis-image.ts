/** The image that every Redis of the run is made of; undefined: the run takes what there is. */
export const redisImage = process.env['TEST_REDIS_IMAGE'];

/** The server in an image of Redis or of Valkey. */
export function redisProgramOf(image: string): string {
  return image.includes('valkey') ? 'valkey-server' : 'redis-server';
}
