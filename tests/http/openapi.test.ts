import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { runService } from '../support/running-service.js';

interface Operation {
  operationId?: string;
  requestBody?: { content: Record<string, { example?: unknown; examples?: object }> };
  responses: Record<string, { content?: Record<string, { example?: unknown; examples?: object }> }>;
}

const run = promisify(execFile);
const bin = (name: string) => join(import.meta.dirname, '../../node_modules/.bin', name);
const env = { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' };

let folder: string;
let file: string;
let operations: Operation[];
beforeAll(async () => {
  const service = await runService();
  const text = await (await fetch(`${service.url}/openapi.json`)).text();
  await service.stop();
  const { paths } = JSON.parse(text) as { paths: Record<string, Record<string, Operation>> };
  operations = Object.values(paths).flatMap((methods) => Object.values(methods));
  folder = await mkdtemp(join(tmpdir(), 'openapi-'));
  file = join(folder, 'openapi.json');
  await writeFile(file, text);
});
afterAll(() => rm(folder, { recursive: true }));

test.concurrent('a public linter finds neither errors nor warnings, and no invalid example', async () => {
  const { stdout } = await run(bin('redocly'), ['lint', file, '--format=json'], { env });
  const { totals, problems } = JSON.parse(stdout) as { totals: object; problems: unknown[] };
  expect({ totals, problems }).toMatchObject({ totals: { errors: 0, warnings: 0 }, problems: [] });
});

test.concurrent('a generated client compiles and knows the details of each error', async () => {
  await run(bin('openapi-typescript'), [file, '-o', join(folder, 'api.ts')]);
  await writeFile(join(folder, 'client.ts'), CLIENT);
  const options = {
    noEmit: true,
    strict: true,
    skipLibCheck: true,
    lib: ['es2022'],
    module: 'nodenext',
    types: [],
  };
  await writeFile(
    join(folder, 'tsconfig.json'),
    JSON.stringify({ compilerOptions: options, include: ['*.ts'] }),
  );
  const { stdout } = await run(bin('tsc'), ['-p', folder]).catch(
    (error: unknown) => error as { stdout: string },
  );
  expect(stdout).toBe('');
});

test('every operation has an id, and an example of its request and of each code', () => {
  const ids = operations.map(({ operationId }) => operationId);
  expect(new Set(ids).size).toBe(operations.length);
  expect(ids).not.toContain(undefined);
  for (const { requestBody, responses } of operations) {
    for (const { content } of [requestBody ?? {}, ...Object.values(responses)]) {
      for (const { example, examples } of Object.values(content ?? {})) {
        expect(example ?? examples).toBeDefined();
      }
    }
  }
});

const CLIENT = `
import type { components, operations } from './api.js';

type Success<Id extends keyof operations, Status extends number> = operations[Id] extends {
  responses: Record<Status, { content: { 'application/json': infer Body } }>;
} ? Body : never;

export const still: operations['recordUpdate']['requestBody']['content']['application/json'] = {
  sessionId: '5e55a000-0000-4000-8000-000000000001',
  still: true,
};
export const why = ({ data }: Success<'diagnoseJourney', 200>): string[] =>
  data.diagnosis.map(({ message }) => message);
export const page = (query: operations['listJourneys']['parameters']['query']) => query?.limit;
type Stale = components['schemas']['LocationStaleError'];
export const continueAbove = ({ error }: Stale): number | null => error.details.lastSequence;
// @ts-expect-error Only the codes that the API has.
export const code: Stale['error']['code'] = 'TOO_OLD';
`;
