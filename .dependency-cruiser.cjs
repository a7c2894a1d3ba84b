// Which room of src may import which: dependencies point inward.
const mayImport = {
  'config.ts': ['config'],
  config: [],
  contract: [],
  journeys: ['contract'],
  live: ['contract', 'journeys'],
  http: ['contract', 'journeys', 'live'],
  store: ['contract', 'journeys'],
  sessions: ['journeys', 'store'],
  outbox: ['contract', 'journeys', 'store'],
  telemetry: [],
  client: [],
  'main.ts': ['config.ts', 'app.ts'],
  ops: ['journeys', 'store', 'outbox'],
  'ops.ts': ['config.ts', 'ops', 'store', 'journeys'],
  canary: ['client', 'config'],
  'canary.ts': ['canary', 'config.ts', 'config'],
};

const forbidden = Object.entries(mayImport).map(([room, allowed]) => {
  const isFile = room.endsWith('.ts');
  const own = isFile ? [] : [room];
  const open = [...own, ...allowed].map((name) =>
    name.endsWith('.ts') ? `${name.replace('.', '\\.')}$` : `${name}/`,
  );
  return {
    name: `${room}-imports-only-its-neighbours`,
    severity: 'error',
    from: { path: isFile ? `^src/${room.replace('.', '\\.')}$` : `^src/${room}/` },
    to: { path: '^src/', ...(open.length > 0 ? { pathNot: `^src/(${open.join('|')})` } : {}) },
  };
});

module.exports = {
  forbidden: [
    ...forbidden,
    {
      name: 'service-does-not-import-dev-or-client',
      severity: 'error',
      from: { path: '^src/app\\.ts$' },
      to: { path: '^src/(dev|client)/' },
    },
    {
      name: 'journeys-know-no-framework',
      severity: 'error',
      from: { path: '^src/(journeys|live)/' },
      to: { path: 'node_modules/(express|ioredis|pg|@aws-sdk|pino|prom-client)/' },
    },
    {
      name: 'client-has-no-dependency',
      severity: 'error',
      from: { path: '^src/client/.*\\.ts$', pathNot: '^src/client/react/' },
      to: { dependencyTypes: ['npm', 'npm-dev', 'core'] },
    },
    {
      name: 'client-hooks-depend-on-react-alone',
      severity: 'error',
      from: { path: '^src/client/react/' },
      to: { dependencyTypes: ['npm', 'npm-dev', 'core'], pathNot: 'node_modules/(@types/)?react/' },
    },
    {
      name: 'client-core-imports-no-other-entry',
      severity: 'error',
      from: { path: '^src/client/[^/]+$' },
      to: { path: '^src/client/(react|expo|testing)/' },
    },
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'src-has-no-dev-dependency',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(dev|client)/' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
};
