import { spawn, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { acquireLock, findHolder } from '../../../src/base/files/lock.ts';
import { identifyThisProcess } from '../../../src/base/files/process-identity.ts';
import { waitForFile } from '../../support/processes.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { startRunner } from '../rig/processes.ts';
import { createProject, eventOf } from '../rig/project.ts';

let folder: string;

beforeEach(async () => {
  folder = await temporaryFolder();
});

const holder = {
  version: 1,
  ...identifyThisProcess(),
  command: ['node', 'repro', 'run', 'x'],
  started: '2024-06-01T00:00:00.000Z',
  released: false,
};

function writeHolder(content: object, number = 7): Promise<void> {
  return fs.writeFile(path.join(folder, `${number}.json`), JSON.stringify(content));
}

/** A pid that belonged to a process a moment ago. */
function deadPid(): number {
  return spawnSync(process.execPath, ['-e', '']).pid;
}

describe('the lock', () => {
  test('is free after release and keeps one small file', async () => {
    for (let i = 0; i < 3; i += 1) {
      const lock = await acquireLock(folder);
      await lock.release();
    }
    expect(readdirSync(folder)).toEqual(['3.json']);
  });

  test('leaves no folder when it is dissolved, and can be taken again', async () => {
    const below = path.join(folder, 'below');
    await (await acquireLock(below)).dissolve();
    expect(readdirSync(folder)).toEqual([]);
    const lock = await acquireLock(below);
    expect(lock.isLost()).toBe(false);
    await lock.release();
  });

  test('is not dissolved from under another run', async () => {
    const lock = await acquireLock(folder);
    await writeHolder(holder, 2);
    expect(lock.isLost()).toBe(true);
    await lock.dissolve();
    expect(readdirSync(folder).sort()).toEqual(['1.json', '2.json']);
  });

  test.each([
    ['a link to itself', (file: string) => fs.symlink(file, file)],
    ['a folder', (file: string) => fs.mkdir(file)],
  ])('is not taken while its file cannot be read, such as %s', async (_, make) => {
    const file = path.join(folder, '7.json');
    await make(file);
    await expect(acquireLock(folder)).rejects.toThrow(/EISDIR|ELOOP/);
    expect(() => findHolder(folder)).toThrow();
    expect(readdirSync(folder)).toEqual(['7.json']);
  });

  test('names its holder to a second run', async () => {
    await writeHolder(holder);
    await expect(acquireLock(folder)).rejects.toMatchObject({
      code: 'locked',
      message: `another run holds this folder: process ${process.pid} on ${os.hostname()}, since 2024-06-01T00:00:00.000Z (run x)`,
    });
  });

  test.each([
    ['has died', () => ({ ...holder, pid: deadPid() })],
    ['has died, and its pid belongs to another process', () => ({ ...holder, startTime: '1' })],
    ['has released it', () => ({ ...holder, released: true })],
    ['left half a file', () => ({ version: 1 })],
  ])('passes on from a holder that %s', async (_, content) => {
    await writeHolder(content());
    const lock = await acquireLock(folder);
    expect(readdirSync(folder)).toEqual(['8.json']);
    expect(JSON.parse(readFileSync(path.join(folder, '8.json'), 'utf8'))).toMatchObject({
      pid: process.pid,
      released: false,
    });
    expect(lock.isLost()).toBe(false);
    await lock.release();
  });

  test.runIf(process.platform === 'linux')('passes on from a zombie holder', async () => {
    const parent = spawn('sh', ['-c', 'sleep 100 & echo $!; wait'], { stdio: ['ignore', 'pipe', 'ignore'] });
    onTestFinished(() => void parent.kill('SIGKILL'));
    const pid = Number(await new Promise((resolve) => parent.stdout.once('data', resolve)));
    const stat = (of: number | undefined) =>
      readFileSync(`/proc/${of}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    // A shell reaps its children after every command: only a stopped one is sure not to.
    const patience = { timeout: 30_000 };
    parent.kill('SIGSTOP');
    await vi.waitFor(() => expect(stat(parent.pid)[0]).toBe('T'), patience);
    process.kill(pid, 'SIGKILL');
    await vi.waitFor(() => expect(stat(pid)[0]).toBe('Z'), patience);
    await writeHolder({ ...holder, pid, startTime: stat(pid)[19] });
    await (await acquireLock(folder)).release();
    expect(readdirSync(folder)).toEqual(['8.json']);
  });

  test('held on another machine is respected as long as it shows signs of life', async () => {
    await writeHolder({ ...holder, host: 'elsewhere' });
    await expect(acquireLock(folder)).rejects.toMatchObject({ code: 'locked' });
    const longAgo = new Date(Date.now() - 61_000);
    await fs.utimes(path.join(folder, '7.json'), longAgo, longAgo);
    await (await acquireLock(folder)).release();
    expect(readdirSync(folder)).toEqual(['8.json']);
  });

  test.each([
    ['ahead', 120_000],
    ['behind', -120_000],
  ])('held on another machine is judged by the disk’s clock where this machine’s is %s', async (_, offMs) => {
    const nowMs = Date.now();
    vi.spyOn(Date, 'now').mockReturnValue(nowMs + offMs);
    onTestFinished(() => void vi.restoreAllMocks());
    await writeHolder({ ...holder, host: 'elsewhere' });
    await expect(acquireLock(folder)).rejects.toMatchObject({ code: 'locked' });
    expect(readdirSync(folder)).toEqual(['7.json']);
    await fs.utimes(path.join(folder, '7.json'), (nowMs - 61_000) / 1000, (nowMs - 61_000) / 1000);
    await (await acquireLock(folder)).release();
    expect(readdirSync(folder)).toEqual(['8.json']);
  });

  test('shows signs of life by the disk’s clock, and keeps its content', async () => {
    const startMs = Date.now();
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'Date'], now: startMs - 120_000 });
    onTestFinished(() => void vi.useRealTimers());
    const lock = await acquireLock(folder);
    const file = path.join(folder, '1.json');
    const content = readFileSync(file, 'utf8');
    await fs.utimes(file, 1, 1);
    vi.advanceTimersByTime(5_000);
    await vi.waitFor(async () => expect((await fs.stat(file)).mtimeMs).not.toBe(1000));
    expect((await fs.stat(file)).mtimeMs).toBeGreaterThan(startMs - 60_000);
    expect(readFileSync(file, 'utf8')).toBe(content);
    await lock.release();
  });

  test('is lost when another run takes over or someone deletes it, and is then not released', async () => {
    const taken = await acquireLock(folder);
    await writeHolder(holder);
    expect(taken.isLost()).toBe(true);
    await taken.release();
    expect(readdirSync(folder).toSorted()).toEqual(['1.json', '7.json']);

    await fs.rm(folder, { recursive: true });
    const deleted = await acquireLock(folder);
    await fs.rm(folder, { recursive: true });
    expect(deleted.isLost()).toBe(true);
    await deleted.release();
    await expect(fs.access(folder)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('goes to exactly one of many runs that find a dead holder at once', async () => {
    await writeHolder({ ...holder, pid: deadPid() });
    const results = await Promise.allSettled(Array.from({ length: 20 }, () => acquireLock(folder)));
    expect(results.filter((one) => one.status === 'fulfilled')).toHaveLength(1);
    expect(readdirSync(folder)).toEqual(['8.json']);
  });
});

describe('a run whose cache is deleted while a stage runs', () => {
  test('fails that stage, and the next run continues', async () => {
    const project = await createProject([
      { id: 's', sh: 'test -e again || rm -r artifacts/.cache; mkdir -p "$REPRO_OUTPUT_0"' },
    ]);
    const { outcome, events } = await project.run();
    expect(outcome).toBe('failed');
    expect(eventOf(events, 'failed', 's').code).toBe('lock-lost');
    await project.write('again', '');
    expect((await project.run()).outcome).toBe('ok');
  });
});

test('a run whose lock and temporary folder were taken says so, not that the stage wrote no output', async () => {
  const project = await createProject([
    { id: 's', run: ['rm', '-r', 'artifacts/.cache'], outputs: ['artifacts/s'] },
  ]);
  const { events } = await project.run();
  expect(eventOf(events, 'failed', 's').code).toBe('lock-lost');
});

describe('two runs in one folder', () => {
  test('exclude each other, and the second names the first; a killed one is not an obstacle', async () => {
    const project = await createProject([
      { id: 's', sh: 'touch counts/ready; while ! test -e go; do sleep 0.01; done; : > "$REPRO_OUTPUT_0"' },
    ]);
    const first = await startRunner(project);
    await waitForFile(project.at('counts/ready'));
    const error = await project.run().catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      code: 'locked',
      message: expect.stringContaining(`process ${first.child.pid} on`),
    });
    expect((await project.status())[0]?.state).toBe('running');
    first.kill('SIGKILL');
    await first.ended;
    await project.write('go', '');
    expect((await project.run()).outcome).toBe('ok');
  });

  test('started at the same moment are one run: the others name the holder', async () => {
    const project = await createProject([
      { id: 's', sh: 'echo x >> counts/s; while ! test -e go; do sleep 0.01; done; : > "$REPRO_OUTPUT_0"' },
    ]);
    const runners = await Promise.all([startRunner(project), startRunner(project), startRunner(project)]);
    const endings: unknown[] = [];
    for (const runner of runners) void runner.ended.then(({ code }) => endings.push(code));
    await vi.waitFor(() => expect(endings).toEqual([75, 75]), { timeout: 20_000 });
    await project.write('go', '');
    const codes = (await Promise.all(runners.map((one) => one.ended))).map(({ code }) => code);
    expect(codes.toSorted()).toEqual([0, 75, 75]);
    expect(project.count('s')).toBe(1);
  });
});
