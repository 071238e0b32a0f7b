import { readdirSync, truncateSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { InstanceStatus } from '../../src/runner/run/status.ts';
import { Attempts } from '../../src/runner/store/attempts.ts';
import { cacheFolderOf } from '../../src/runner/store/cache-folder.ts';
import { waitForFile } from '../support/processes.ts';
import { startRunner } from './rig/processes.ts';
import { createProject, type Project } from './rig/project.ts';
import { createStagesProject } from './rig/stages-project.ts';

/** A stage that fails where in.txt says so, and then is as slow as it says. */
async function createStage(input: string): Promise<Project> {
  const project = await createProject();
  await project.write('in.txt', input);
  project.define([
    { id: 's', run: ['sh', 'in.txt'], inputs: ['in.txt'], outputs: ['artifacts/s'] },
    {
      id: 'later',
      sh: 'cp artifacts/s "$REPRO_OUTPUT_0"',
      inputs: ['artifacts/s'],
      outputs: ['artifacts/l'],
    },
  ]);
  return project;
}

async function statusOf(project: Project): Promise<InstanceStatus | undefined> {
  return (await project.status())[0];
}

test('an instance has failed until it succeeds, or its code, inputs or parameters change', async () => {
  const project = await createStage('exit 7');
  expect((await project.run()).outcome).toBe('failed');
  const file = 'artifacts/.cache/attempts/s.json';
  const failed = {
    state: 'failed',
    attempt: {
      failure: { code: 'command-failed', text: '"sh" exited with code 7' },
      logFile: project.at('artifacts/.cache/logs/s.log'),
      pid: process.pid,
      isCurrent: true,
    },
  };
  expect(await statusOf(project)).toMatchObject(failed);
  // What only waits for it has not failed.
  expect((await project.status())[1]?.state).toBe('never-run');

  await project.write('in.txt', 'echo 1 > "$REPRO_OUTPUT_0"');
  expect((await statusOf(project))?.state).toBe('never-run');
  await project.write('in.txt', 'exit 7');
  expect((await statusOf(project))?.state).toBe('failed');

  await project.write('in.txt', 'echo 1 > "$REPRO_OUTPUT_0"');
  expect((await project.run()).outcome).toBe('ok');
  expect(await statusOf(project)).not.toHaveProperty('attempt');
  expect(readdirSync(project.at('artifacts/.cache/attempts'))).toEqual([]);

  await project.write('in.txt', 'exit 8');
  await project.run();
  expect(await statusOf(project)).toMatchObject({ state: 'failed', record: { id: 's' } });
  truncateSync(project.at(file), 40);
  expect((await statusOf(project))?.state).toBe('stale');
});

test('a failure is forgotten once its result is found instead of computed', async () => {
  const project = await createStage('echo 1 > "$REPRO_OUTPUT_0"');
  expect((await project.run()).outcome).toBe('ok');
  // As after a record that was written, whose outputs could then not be put in place.
  const { fingerprint } = (await statusOf(project))?.record ?? {};
  const attempts = new Attempts(cacheFolderOf({ projectRoot: project.root }));
  const attempt = await attempts.begin('s', fingerprint ?? '');
  await attempts.fail(attempt, { code: 'output-blocked', text: 'x', seconds: 1 });
  await project.remove('artifacts/s');
  expect(await project.run()).toMatchObject({ ran: [], cached: ['s', 'later'] });
  expect(readdirSync(project.at('artifacts/.cache/attempts'))).toEqual([]);
});

test('a time limit is the reason of a failure, and an interrupted attempt is none', async () => {
  const project = await createStage('touch counts/started; exec sleep 60');
  const [stage, ...others] = project.description.stages;
  if (stage === undefined) throw new Error('there is a stage');
  project.define([{ ...stage, resources: { timeSeconds: 0.2 } }, ...others]);
  await project.run();
  expect((await statusOf(project))?.attempt?.failure?.code).toBe('timeout');

  project.define([stage, ...others]);
  await project.remove('counts/started');
  const abort = new AbortController();
  const run = project.run({ signal: abort.signal, graceSeconds: 1 });
  await waitForFile(project.at('counts/started'));
  abort.abort();
  expect((await run).outcome).toBe('interrupted');
  expect((await statusOf(project))?.state).toBe('never-run');
});

test('an instance runs as long as the run that started it lives', async () => {
  const project = await createStage('touch counts/started; exec sleep 60');
  const runner = await startRunner(project);
  await waitForFile(project.at('counts/started'));
  const running = { state: 'running', attempt: { pid: runner.child.pid, failure: null, isCurrent: true } };
  expect(await statusOf(project)).toMatchObject(running);
  await project.write('in.txt', 'exit 0');
  expect(await statusOf(project)).toMatchObject({ state: 'running', attempt: { isCurrent: false } });
  const file = 'artifacts/.cache/attempts/s.json';
  const attempt = project.read(file);
  // A node of a cluster works for the run that holds the lock.
  await project.write(file, attempt.replace(/"host":"[^"]*"/, '"host":"node7"'));
  expect(await statusOf(project)).toMatchObject({ state: 'running', attempt: { host: 'node7' } });
  runner.kill('SIGKILL');
  await runner.ended;
  expect((await statusOf(project))?.state).toBe('never-run');
  await project.write(file, attempt);
  expect((await statusOf(project))?.state).toBe('never-run');
});

test('status and explain say how it failed, where its log is, and how to see it', async () => {
  const project = await createStagesProject(
    "fails:\n  cmd: [sh, -c, 'echo why; exit 3']\n  outputs: [artifacts/fails]\n",
  );
  await project.call(['run']);
  const shown = await project.call(['status']);
  const lines = [
    '"sh" exited with code 3',
    expect.stringMatching(/^started \d{4}-\d\d-\d\d \d\d:\d\d UTC, failed after \d\.\d s$/),
    'log: artifacts/.cache/logs/fails.log (./repro logs fails)',
  ];
  expect(shown.stdout.split('\n').map((line) => line.replace(/^fails {2}failed|^ +/, '').trim())).toEqual(
    lines,
  );
  expect((await project.call(['status', '--exit-code'])).exitCode).toBe(3);
  const explained = await project.call(['explain', 'fails']);
  const [head, ...rest] = explained.stdout.split('\n').map((line) => line.trim());
  expect([head, ...rest.slice(0, 3)]).toEqual(['fails failed in its last attempt:', ...lines]);
  expect((await project.json(['explain', 'fails'])).instances[0]).toMatchObject({
    state: 'failed',
    attempt: { failure: { code: 'command-failed' }, isCurrent: true },
  });
});
