import { builtService, projectFolder, startArguments, type Program } from '../../support/stack.js';

export interface Contender {
  name: string;
  program: Program;
  /** Whether a token costs less the second time, so that all of them are sent once before it is measured. */
  cachesTokens: boolean;
}

/** The service, what it is compared with, and, with --against, another build of it. */
export interface Contenders {
  service: Contender;
  floor: Contender;
  fastify: Contender;
  against: Contender | undefined;
}

export function findContenders(node: string, against: string | undefined): Contenders {
  // All of them run with the V8 flags of production.
  const flags = startArguments().filter((argument) => argument.startsWith('--'));
  const fromSource = (name: string): Program => ({
    command: [node, ...flags, '--import', 'tsx', `tests/bench/contenders/${name}.ts`],
    folder: projectFolder,
  });
  return {
    service: { name: 'admin-service', program: builtService(node), cachesTokens: true },
    floor: { name: 'floor', program: fromSource('floor'), cachesTokens: false },
    fastify: { name: 'Fastify', program: fromSource('fastify'), cachesTokens: true },
    against:
      against === undefined
        ? undefined
        : { name: 'other build', program: builtService(node, against), cachesTokens: true },
  };
}
