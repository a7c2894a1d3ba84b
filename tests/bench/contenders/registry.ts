import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectFolder } from '../../../src/dev/local-service.js';

export type ContenderName = 'admin-service' | 'floor' | 'Fastify' | 'reviewed design' | 'bare refusals';

export interface ContenderKind {
  name: ContenderName;
  /** For Node, after the flags that all have in common. */
  program: string[];
  /** Whether a token costs less the second time, so that all of them should have been there before it is measured. */
  remembersTokens: boolean;
}

const fromSource = (name: string) => ['--import', 'tsx', `tests/bench/contenders/${name}.ts`];

/** The service as package.json starts it; its flags for Node are everybody's. */
const [, ...started] = startCommand().split(' ');
export const nodeFlags = started.filter((word) => word.startsWith('--'));

export const ours: ContenderKind = {
  name: 'admin-service',
  program: started.filter((word) => !word.startsWith('--')),
  remembersTokens: true,
};
export const floor: ContenderKind = { name: 'floor', program: fromSource('floor'), remembersTokens: false };

/** Not one of those that are compared: it does nothing that is asked for. */
export const bareRefusals: ContenderKind = {
  name: 'bare refusals',
  program: fromSource('bare-refusals'),
  remembersTokens: false,
};

export const contenders: readonly ContenderKind[] = [
  ours,
  floor,
  { name: 'Fastify', program: fromSource('fastify'), remembersTokens: true },
  { name: 'reviewed design', program: fromSource('reviewed-design'), remembersTokens: false },
];

function startCommand(): string {
  const { scripts } = JSON.parse(readFileSync(join(projectFolder, 'package.json'), 'utf8')) as {
    scripts: { start: string };
  };
  return scripts.start;
}
