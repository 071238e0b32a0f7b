import { readdirSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { startRunner, waitForEnd } from './rig/processes.ts';
import { createProject, type Project } from './rig/project.ts';

const filesEach = 30;

/** Each stage writes 30 files that all contain its parameter, so that a mixture or a partial set shows. */
const script =
  'echo $$ >> counts/pids; mkdir "$REPRO_OUTPUT_0"; for i in $(seq 30); do echo "$REPRO_PARAMS" > "$REPRO_OUTPUT_0/$i"; done';

function define(project: Project, version: number): void {
  const stage = (id: string, inputs: readonly string[]) => ({
    id,
    run: ['sh', '-c', script],
    params: { version },
    inputs,
    outputs: [`artifacts/${id}`],
  });
  project.define([stage('a', []), stage('b', ['artifacts/a']), stage('c', ['artifacts/a'])]);
}

/** The version of an output; null if it does not exist. Anything but a complete output of one version fails. */
function versionOf(project: Project, id: string): string | null {
  if (!project.has(`artifacts/${id}`)) return null;
  const names = readdirSync(project.at('artifacts', id));
  const contents = new Set(names.map((name) => project.read(`artifacts/${id}/${name}`)));
  expect(names).toHaveLength(filesEach);
  expect(contents.size).toBe(1);
  return [...contents][0] ?? null;
}

test('a runner killed at any moment leaves complete outputs or none, and the next run completes', async () => {
  const project = await createProject();
  for (let version = 1; version <= 16; version += 1) {
    define(project, version);
    const runner = await startRunner(project);
    // From before the first stage starts to after the last has ended: each try at a different moment.
    await runner.waitForEvent(version % 2 === 0 ? 'started' : 'run-started');
    await wait(version * 25);
    runner.kill('SIGKILL');
    await runner.ended;
    for (const id of ['a', 'b', 'c']) versionOf(project, id);
    for (const pid of project.has('counts/pids') ? project.read('counts/pids').trim().split('\n') : []) {
      await waitForEnd(Number(pid));
    }
    await project.remove('counts/pids');

    if (version % 4 !== 0) continue;
    expect((await project.run()).outcome).toBe('ok');
    for (const id of ['a', 'b', 'c']) expect(versionOf(project, id)).toBe(`{"version":${version}}\n`);
    expect((await project.status()).every((one) => one.state === 'fresh')).toBe(true);
    expect(readdirSync(project.at('artifacts/.cache/tmp'))).toEqual([]);
  }
});
