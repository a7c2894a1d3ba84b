import { resolve } from 'node:path';
import { App } from 'aws-cdk-lib';
import { readStages, SettingsError } from './settings/read-stages.js';
import { addStacks, FEATURE_FLAGS } from './stack/app-stacks.js';

const app = new App({ context: FEATURE_FLAGS });
const settingsFile = (app.node.tryGetContext('settings') as string | undefined) ?? 'stages.json';
const only = app.node.tryGetContext('stage') as string | undefined;
try {
  const isExample = settingsFile === 'stages.example.json';
  const stages = readStages(resolve(import.meta.dirname, settingsFile), { ...(only && { only }), isExample });
  addStacks(app, stages);
  app.synth();
} catch (error) {
  if (!(error instanceof SettingsError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}
