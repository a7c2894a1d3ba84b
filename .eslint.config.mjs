import tseslint from 'typescript-eslint';

const typedRules = {
  '@typescript-eslint/no-floating-promises': 'error',
  '@typescript-eslint/no-misused-promises': 'error',
  '@typescript-eslint/no-explicit-any': 'error',
  '@typescript-eslint/await-thenable': 'error',
  '@typescript-eslint/consistent-type-imports': 'error',
};

export default tseslint.config(
  { ignores: ['dist/', 'coverage/', 'node_modules/', 'infra/', '**/*.cjs', '**/*.mjs'] },
  {
    languageOptions: {
      parserOptions: {
        project: ['./tsconfig.json', './src/dev/pages/live-map/browser/tsconfig.json'],
        tsconfigRootDir: import.meta.dirname,
      },
    },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: { eqeqeq: 'error', 'no-console': 'error' },
  },
  {
    files: ['src/**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    rules: {
      ...typedRules,
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: false },
      ],
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
    },
  },
  // Type-aware rules cost most of the time, so tests have only those that find real mistakes in them.
  { files: ['tests/**/*.ts'], extends: [tseslint.configs.strict], rules: typedRules },
  {
    // Only config.ts reads the environment; the runner and the tests set it for what they start.
    files: ['src/**/*.ts'],
    ignores: ['src/config.ts', 'src/config/canary.ts', 'src/main.ts', 'src/dev/**'],
    rules: {
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: 'Read settings in config.ts.' },
      ],
    },
  },
  { files: ['src/dev/**/*.ts', 'tests/**/*.ts'], rules: { 'no-console': 'off' } },
  {
    files: ['src/**/*.ts'],
    ignores: ['src/dev/**'],
    rules: {
      'max-lines': ['error', { max: 250 }],
      'max-lines-per-function': ['error', { max: 50, skipBlankLines: true, skipComments: true }],
    },
  },
);
