import { existsSync } from 'node:fs';
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { StageLaunch } from '../../src/executors/executor.ts';
import { runLocally } from '../../src/executors/local.ts';
import { compileProgram } from '../runner/rig/programs.ts';

/** Launches a command that succeeds at once. */
async function createLaunch(): Promise<StageLaunch> {
  const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'repro-local-'));
  onTestFinished(() => fs.rm(folder, { recursive: true, force: true }));
  const task = {
    kind: 'command',
    argv: ['true'],
    id: 's',
    params: {},
    matrix: {},
    facts: {},
    inputs: [],
    outputs: [],
    resume: [],
  };
  await fs.writeFile(path.join(folder, 'task.json'), JSON.stringify(task));
  return {
    hostFile: await compileProgram('src/stage/host.ts'),
    taskFile: path.join(folder, 'task.json'),
    cwd: folder,
    environment: { PATH: process.env.PATH ?? '' },
    logFile: path.join(folder, 'log'),
    permissions: null,
    wrapper: null,
    timeSeconds: null,
    graceSeconds: 1,
    stop: new AbortController().signal,
    kill: new AbortController().signal,
    onMessage: () => {},
  };
}

describe('a stage on this machine', () => {
  test('is done when its process says so', async () => {
    expect(await runLocally(await createLaunch())).toEqual({ kind: 'done', peakMemoryBytes: null });
  });

  test('whose process cannot start has failed, with the reason', async () => {
    const launch = await createLaunch();
    const gone = path.join(launch.cwd, 'gone');
    expect(await runLocally({ ...launch, cwd: gone })).toMatchObject({
      kind: 'failed',
      code: 'not-started',
      text: expect.stringContaining(gone),
    });
    // More than Linux and macOS can pass to a process.
    const environment = { ...launch.environment, LARGE: 'x'.repeat(3_000_000) };
    expect(await runLocally({ ...launch, environment })).toMatchObject({
      code: 'not-started',
      text: expect.stringContaining('E2BIG'),
    });
  });

  test('whose host does not exist or has no task has failed', async () => {
    const launch = await createLaunch();
    expect(await runLocally({ ...launch, hostFile: `${launch.hostFile}.gone` })).toMatchObject({
      kind: 'failed',
      code: 'exit',
    });
    expect(await runLocally({ ...launch, taskFile: `${launch.taskFile}.gone` })).toMatchObject({
      kind: 'failed',
      code: 'ENOENT',
    });
  });

  test.skipIf(!existsSync('/dev/full'))('says why it failed even if its log cannot be written', async () => {
    const launch = await createLaunch();
    const task = JSON.parse(await fs.readFile(launch.taskFile, 'utf8')) as object;
    await fs.writeFile(launch.taskFile, JSON.stringify({ ...task, argv: ['false'] }));
    expect(await runLocally({ ...launch, logFile: '/dev/full' })).toMatchObject({
      kind: 'failed',
      code: 'command-failed',
    });
  });

  test('is not started after a stop', async () => {
    const launch = await createLaunch();
    expect(await runLocally({ ...launch, stop: AbortSignal.abort() })).toEqual({ kind: 'interrupted' });
    await expect(fs.access(launch.logFile)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
