import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { templateOf } from './support/a-stack.js';

/** Answers like the AWS CLI, knows only active task definitions, as ECS does, and records what is changed. */
const FAKE_AWS = `#!/usr/bin/env bash
case "$1 $2" in
  'cloudformation describe-stacks') [[ "$*" == *"'Cluster'"* ]] && echo the-cluster || echo the-service ;;
  'ecs describe-services') echo "arn:aws:ecs:us-east-1:0:task-definition/family:$RUNNING" ;;
  'ecs list-task-definitions')
    for revision in $ACTIVE; do printf 'arn:aws:ecs:us-east-1:0:task-definition/family:%s\\t' "$revision"; done ;;
  'ecs describe-task-definition') echo "commit-of-$4" ;;
  'ecs run-task') echo "$*" >>"$CHANGES"; echo 'arn:aws:ecs:us-east-1:0:task/the-cluster/0a1b' ;;
  'logs get-log-events') [[ "$*" == *'operator/operator/0a1b'* ]] && echo '2 active journeys' ;;
  'ecs describe-tasks') [[ "$*" == *exitCode* ]] && echo "$EXIT_CODE" || echo 'CannotPullContainerError' ;;
  'ecs update-service') echo "$*" >>"$CHANGES"; echo IN_PROGRESS ;;
  'ecs wait') echo "$*" >>"$CHANGES" ;;
  *) echo "unknown: $*" >&2; exit 1 ;;
esac
`;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'rollback-'));
  writeFileSync(join(folder, 'aws'), FAKE_AWS);
  chmodSync(join(folder, 'aws'), 0o755);
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

interface Fake {
  running?: number;
  active?: string;
  exitCode?: string;
}

const rollback = (args: string[], fake: Fake = {}) => run('rollback.sh', args, fake);

function run(script: string, args: string[], { running = 7, active = '7 6 4', exitCode = '0' }: Fake = {}) {
  const changes = join(folder, 'changes');
  writeFileSync(changes, '');
  const { status, stdout, stderr } = spawnSync('bash', [join(import.meta.dirname, '..', script), ...args], {
    encoding: 'utf8',
    env: {
      PATH: `${folder}:${process.env['PATH'] ?? ''}`,
      RUNNING: String(running),
      ACTIVE: active,
      CHANGES: changes,
      EXIT_CODE: exitCode,
    },
  });
  return { status, stdout, stderr, changes: readFileSync(changes, 'utf8') };
}

test('without a revision it lists the deployments with their commits and changes nothing', () => {
  const { status, stdout, changes } = rollback(['prod']);
  expect([status, changes]).toEqual([0, '']);
  expect(stdout.trim().split('\n')).toEqual([
    '7  commit-of-family:7  (runs now)',
    '6  commit-of-family:6',
    '4  commit-of-family:4',
  ]);
});

test.each([
  ['previous', 'family:6'],
  ['4', 'family:4'],
])('%s is deployed and waited for', (wanted, definition) => {
  const { status, changes } = rollback(['prod', wanted]);
  expect(status).toBe(0);
  expect(changes.split('\n')[0]).toContain(
    `update-service --cluster the-cluster --service the-service --task-definition ${definition}`,
  );
  expect(changes.split('\n')[1]).toContain('wait services-stable');
});

test('after a rollback, previous is the one before it', () => {
  expect(rollback(['prod', 'previous'], { running: 6 }).changes).toContain('family:4');
});

test.each([
  [['prod', '5'], 1, 'no active revision 5'],
  [['prod', '7'], 1, 'runs already'],
  [['prod', 'previous'], 1, 'no deployment before family:4', 4],
  [[], 2, 'infra/rollback.sh STAGE'],
  [['prod', 'latest'], 2, 'infra/rollback.sh STAGE'],
])('%j changes nothing, exits %i and says why', (args, code, message, running = 7) => {
  const { status, stderr, changes } = rollback(args, { running });
  expect([status, changes]).toEqual([code, '']);
  expect(stderr).toContain(message);
});

test('an operator command runs in a task inside the network; its output and exit code are those of the command', () => {
  const done = run('ops.sh', ['prod', 'requeue', 'j07/17-0', '--yes']);
  expect([done.status, done.stdout]).toEqual([0, '2 active journeys\n']);
  expect(done.changes).toContain('"command": ["node", "dist/ops.js", "requeue", "j07/17-0", "--yes"]');
  expect(run('ops.sh', ['prod', 'journeys', 'x'], { exitCode: '2' }).status).toBe(2);
});

test('an operator command that cannot start, or that the shell could misread, says why', () => {
  const unstarted = run('ops.sh', ['prod', 'journeys'], { exitCode: 'None' });
  expect([unstarted.status, unstarted.stderr]).toEqual([1, 'CannotPullContainerError\n']);
  for (const args of [['prod'], ['prod', 'journeys', '"]}']]) {
    const { status, stderr, changes } = run('ops.sh', args);
    expect([status, changes]).toEqual([2, '']);
    expect(stderr).toContain('infra/ops.sh STAGE');
  }
});

test('the stack has the outputs and keeps the task definitions that the scripts need', () => {
  const template = templateOf('prod');
  for (const name of ['Cluster', 'Service', 'OperatorTask', 'TaskNetwork', 'LogGroup'])
    expect(template.findOutputs(name)).toHaveProperty(name);
  const definitions = Object.entries(template.findResources('AWS::ECS::TaskDefinition'));
  const [, own] = definitions.find(([id]) => id.startsWith('Service')) ?? [];
  expect(own).toMatchObject({ UpdateReplacePolicy: 'Retain' });
});
