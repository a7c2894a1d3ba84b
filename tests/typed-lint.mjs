// Type check and ESLint on one TypeScript program, because checking the types takes most of the time of both.
import { ESLint } from 'eslint';
import ts from 'typescript';

const configs = ['tsconfig.json', 'src/dev/pages/live-map/browser/tsconfig.json'];

const programs = configs.map((path) => {
  const host = { ...ts.sys, onUnRecoverableConfigFileDiagnostic: (problem) => report([problem]) };
  const config = ts.getParsedCommandLineOfConfigFile(path, {}, host);
  return ts.createProgram({
    rootNames: config.fileNames,
    options: config.options,
    configFileParsingDiagnostics: config.errors,
  });
});

function report(problems) {
  if (problems.length === 0) return;
  process.exitCode = 1;
  console.log(
    ts.formatDiagnosticsWithColorAndContext(problems, {
      getCurrentDirectory: ts.sys.getCurrentDirectory,
      getCanonicalFileName: (name) => name,
      getNewLine: () => '\n',
    }),
  );
}

for (const program of programs) report(ts.getPreEmitDiagnostics(program));

const eslint = new ESLint({
  overrideConfigFile: '.eslint.config.mjs',
  overrideConfig: { languageOptions: { parserOptions: { programs } } },
});
const results = await eslint.lintFiles('.');
const formatter = await eslint.loadFormatter('stylish');
const text = await formatter.format(results);
if (text !== '') console.log(text);
if (results.some(({ errorCount, warningCount }) => errorCount + warningCount > 0)) process.exitCode = 1;
