/** The Fastify contender's schemas of requests and responses, with the fields of src/contract. */
const uuid = { type: 'string', pattern: '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$' } as const;
const text = { type: 'string' } as const;
const number = { type: 'number' } as const;
const whole = { type: 'integer' } as const;
const orNull = <T extends object>(schema: T) => ({ ...schema, nullable: true }) as const;

function envelope(data: Record<string, object>): object {
  return {
    type: 'object',
    properties: { success: { type: 'boolean' }, data: { type: 'object', properties: data } },
  };
}

const position = {
  latitude: { type: 'number', minimum: -90, maximum: 90 },
  longitude: { type: 'number', minimum: -180, maximum: 180 },
  accuracy: orNull(number),
  speed: orNull(number),
  heading: orNull({ type: 'number', maximum: 360 }),
  sequence: { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER },
};

export const updateSchema = {
  body: {
    type: 'object',
    required: ['sessionId', 'latitude', 'longitude'],
    properties: {
      sessionId: uuid,
      ...position,
      ageMs: { type: 'integer', minimum: 0 },
      mocked: { type: 'boolean' },
    },
  },
  response: { 201: envelope({ sessionId: text, timestamp: text, ttl: whole, nextUpdateMs: whole }) },
};

export const liveSchema = {
  querystring: { type: 'object', required: ['sessionId'], properties: { sessionId: uuid } },
  response: {
    200: envelope({
      sessionId: text,
      trainerId: text,
      isActive: { type: 'boolean' },
      location: orNull({
        type: 'object',
        properties: {
          latitude: number,
          longitude: number,
          accuracy: number,
          speed: number,
          heading: number,
          timestamp: text,
          sequence: whole,
        },
      }),
      lastUpdate: orNull(text),
      startedAt: orNull(text),
      expiresAt: orNull(text),
      distanceMeters: orNull(number),
      etaSeconds: orNull(whole),
      etaLowSeconds: orNull(whole),
      etaHighSeconds: orNull(whole),
      ageMs: orNull(whole),
      freshness: orNull(text),
      uncertaintyMeters: orNull(number),
      stillSeconds: orNull(whole),
      trainerProblem: orNull(text),
      nextPollMs: whole,
    }),
  },
};
