import { mkdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import {
  type ContinuedTask,
  continueInQueue,
  judgeEnded,
  noteStart,
} from '../../src/runner/cluster/continuation.ts';
import { JobsFolder } from './jobs-folder.ts';

let root: string;
let jobs: JobsFolder;

beforeEach(async () => {
  root = await mkdtemp(path.join(os.tmpdir(), 'repro-continuation-'));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  jobs = await JobsFolder.create();
});

/** One more job of an instance. */
async function submit(continued = 0): Promise<ContinuedTask> {
  const folder = await jobs.add(['train'], {}, { continued });
  return { folder, index: 0, resume: [path.join(root, 'resume')] };
}

const save = (text: string, at = 1): void => {
  mkdirSync(path.join(root, 'resume/state'), { recursive: true });
  const file = path.join(root, 'resume/state/epoch');
  writeFileSync(file, text);
  utimesSync(file, at, at);
};

describe('an instance whose time is over goes on', () => {
  test('as long as each of its jobs has saved something, and only so often, over all that took the place of one another', async () => {
    const first = await submit();
    await noteStart(first);
    save('1');
    expect(await continueInQueue(first, 3)).toEqual({ kind: 'continues', count: 1 });
    // The same job, from the queue, which was not put back there the next time.
    await noteStart(first);
    save('2', 2);
    expect(await continueInQueue(first, 3)).toEqual({ kind: 'continues', count: 2 });
    const end = { version: 1, job: '1', node: 'n', kind: 'interrupted', because: 'time' } as const;
    expect(await judgeEnded(end, first, 3)).toEqual({ kind: 'continues', count: 2 });
    const second = await submit(2);
    await noteStart(second);
    save('3', 3);
    // Killed before it could count; asking twice counts once.
    for (let i = 0; i < 2; i += 1) {
      expect(await judgeEnded(null, second, 3)).toEqual({ kind: 'continues', count: 3 });
    }
    const third = await submit(3);
    await noteStart(third);
    save('4', 4);
    expect(await judgeEnded(null, third, 3)).toMatchObject({
      kind: 'ends',
      code: 'timeout',
      why: expect.stringContaining('as often as allowed (3)'),
    });
    // A run that begins anew counts anew.
    const other = await submit();
    await noteStart(other);
    save('5', 5);
    expect(await continueInQueue(other, 3)).toEqual({ kind: 'continues', count: 1 });
  });

  test('not if nothing has been saved since it began', async () => {
    const task = await submit();
    save('1');
    await noteStart(task);
    const ended = { kind: 'ends', code: 'no-progress', why: expect.stringContaining('`time` in configs/') };
    expect(await continueInQueue(task, 3)).toMatchObject(ended);
    // What NFS keeps of a file that is open is nothing that was saved.
    writeFileSync(path.join(root, 'resume/.nfs0001'), '');
    expect(await judgeEnded(null, task, 3)).toMatchObject(ended);
    rmSync(path.join(root, 'resume'), { recursive: true });
    await noteStart(task);
    expect(await continueInQueue(task, 3)).toMatchObject(ended);
  });

  test('whatever vanishes from its folder meanwhile', async () => {
    const task = await submit();
    save('1');
    symlinkSync(path.join(root, 'gone'), path.join(root, 'resume/link'));
    await noteStart(task);
    rmSync(path.join(root, 'resume/link'));
    expect(await continueInQueue(task, 3)).toEqual({ kind: 'continues', count: 1 });
  });

  test('not if its job did not come as far as the stage, or it has nowhere to save', async () => {
    const task = await submit();
    save('1');
    expect(await continueInQueue(task, 3)).toMatchObject({ kind: 'ends', code: 'no-progress' });
    expect(await continueInQueue({ ...task, resume: [] }, 3)).toMatchObject({
      code: 'timeout',
      why: expect.stringContaining('a stage with a resume folder continues in another job'),
    });
  });
});
