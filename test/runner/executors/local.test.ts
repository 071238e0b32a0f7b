import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { StageLaunch } from '../../../src/runner/executors/executor.ts';
import { permissionFlags, runLocally } from '../../../src/runner/executors/local.ts';
import { compileProgram } from '../../support/programs.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

/** Launches a command that succeeds at once. */
async function createLaunch(): Promise<StageLaunch> {
  const folder = await temporaryFolder();
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
    hostFile: await compileProgram('src/runner/stage/host.ts'),
    taskFile: path.join(folder, 'task.json'),
    cwd: folder,
    environment: { PATH: process.env.PATH ?? '' },
    logFile: path.join(folder, 'log'),
    permissions: null,
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

  test.each(['stop', 'kill'])('is not started after a %s, however late it comes', async (name) => {
    const launch = await createLaunch();
    const late = new AbortController();
    const running = runLocally({ ...launch, [name]: late.signal });
    late.abort();
    for (const end of [running, runLocally({ ...launch, [name]: AbortSignal.abort() })]) {
      expect(await end).toEqual({ kind: 'interrupted' });
    }
    expect(await fs.readFile(launch.logFile, 'utf8')).toBe('');
  });
});

test('a folder includes what is in it, a file is only itself, and what is below another is left out', async () => {
  const folder = await temporaryFolder();
  await fs.mkdir(path.join(folder, 'a'));
  await fs.writeFile(path.join(folder, 'f'), '');
  const at = (name: string) => path.join(folder, name);
  const flags = permissionFlags({
    read: [at('f'), at('new'), at('a'), at('a/b'), at('a')],
    write: [at('a')],
  });
  expect(flags.filter((one) => one.startsWith('--allow-fs'))).toEqual([
    `--allow-fs-read=${at('a/*')}`,
    `--allow-fs-read=${at('f')}`,
    `--allow-fs-read=${at('new')}`,
    `--allow-fs-read=${at('new/*')}`,
    `--allow-fs-write=${at('a/*')}`,
  ]);
});

test('the flag of the permission model is the one that this version of Node.js has', () => {
  const none = { read: [], write: [] };
  expect(permissionFlags(none, new Set(['--experimental-permission']))[0]).toBe('--experimental-permission');
  expect(permissionFlags(none, new Set(['--permission', '--experimental-permission']))[0]).toBe(
    '--permission',
  );
});

test('Node.js starts with any set of paths, and allows exactly these', async () => {
  const folder = await temporaryFolder();
  // Names that begin alike and lie in each other: Node 20 aborts on some orders of them.
  const name = fc.constantFrom('a', 'ab', 'abc', 'b', 'a b', 'a,b', 'é', 'A');
  const file = fc.array(name, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));
  const program = `const fs = require('node:fs');
    const open = process.argv.slice(1).filter((one) => { try { fs.statSync(one); return true; } catch (e) { return e.code !== 'ERR_ACCESS_DENIED'; } });
    console.log(JSON.stringify(open));`;
  await fc.assert(
    fc.asyncProperty(
      fc.array(file, { maxLength: 12 }),
      fc.array(file, { minLength: 1, maxLength: 12 }),
      async (read, tried) => {
        const flags = permissionFlags({ read: read.map((one) => path.join(folder, one)), write: [] });
        const words = tried.map((one) => path.join(folder, one));
        const { status, stdout, stderr } = spawnSync(
          process.execPath,
          [...flags, '-e', program, '--', ...words],
          { encoding: 'utf8' },
        );
        expect(stderr).toBe('');
        expect(status).toBe(0);
        const expected = words.filter((word) =>
          read.some((one) => `${word}/`.startsWith(`${path.join(folder, one)}/`)),
        );
        const opened = JSON.parse(stdout) as string[];
        // Some versions, such as 20.19.0 and 24, also open the path at which two of them part: `/a` for `/a/b` and `/ab`.
        const parts = (word: string) =>
          new Set(read.map((one) => path.join(folder, one)[word.length])).size > 1;
        const isExtra = (word: string) => !expected.includes(word) && parts(word);
        expect(opened.filter((word) => !isExtra(word))).toEqual(expected);
      },
    ),
    { seed: 1, numRuns: 25 },
  );
});
