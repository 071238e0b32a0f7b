import { mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { BatchFolder } from '../../src/runner/cluster/batch.ts';
import {
  type ContinuedTask,
  continueAfterTimeLimit,
  noteStart,
} from '../../src/runner/cluster/continuation.ts';

let root: string;

beforeEach(async () => {
  root = await mkdtemp(path.join(os.tmpdir(), 'repro-continuation-'));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
});

/** One more job of an instance. */
async function submit(token: string, id = 'train'): Promise<ContinuedTask> {
  const folder = new BatchFolder(path.join(root, 'jobs', token));
  mkdirSync(folder.taskFolder(0), { recursive: true });
  await folder.writeBatch({
    ...{ version: 1, token, stage: 'train', name: `train.${token}`, comment: `repro:${token}` },
    ...{ isArray: false, jobId: '7', cluster: 'c', submittedAt: '2026-01-01T00:00:00.000Z' },
    owner: { user: 'me', uid: 0 },
    ...{ selection: { profile: null, set: [] }, tasks: [{ index: 0, id }] },
  });
  return { folder, index: 0, id, resume: [path.join(root, 'resume')] };
}

const save = (text: string, at = 1): void => {
  mkdirSync(path.join(root, 'resume/state'), { recursive: true });
  const file = path.join(root, 'resume/state/epoch');
  writeFileSync(file, text);
  utimesSync(file, at, at);
};

describe('an instance whose time is over goes on', () => {
  test('as long as each of its jobs has saved something, and only so often, whatever jobs they were', async () => {
    const first = await submit('a');
    await noteStart(first);
    save('1');
    expect(await continueAfterTimeLimit(first, 3)).toEqual({ kind: 'goes-on', count: 1 });
    // The same job, from the queue.
    await noteStart(first);
    save('2', 2);
    expect(await continueAfterTimeLimit(first, 3)).toEqual({ kind: 'goes-on', count: 2 });
    // Another, since it was not put back into the queue; jobs of others do not count.
    await noteStart(await submit('x', 'other'));
    const second = await submit('b');
    await noteStart(second);
    save('3', 3);
    expect(await continueAfterTimeLimit(second, 3)).toEqual({ kind: 'goes-on', count: 3 });
    await noteStart(second);
    save('4', 4);
    expect(await continueAfterTimeLimit(second, 3)).toMatchObject({
      kind: 'ends',
      code: 'timeout',
      why: expect.stringContaining('as often as it may (3)'),
    });
  });

  test('not if nothing has been saved since it began', async () => {
    const task = await submit('a');
    save('1');
    await noteStart(task);
    const ended = { kind: 'ends', code: 'no-progress' };
    expect(await continueAfterTimeLimit(task, 3)).toMatchObject(ended);
    rmSync(path.join(root, 'resume'), { recursive: true });
    await noteStart(task);
    expect(await continueAfterTimeLimit(task, 3)).toMatchObject(ended);
  });

  test('not if its job did not come as far as the stage, or it has nowhere to save', async () => {
    const task = await submit('a');
    save('1');
    expect(await continueAfterTimeLimit(task, 3)).toMatchObject({ kind: 'ends', code: 'no-progress' });
    expect(await continueAfterTimeLimit({ ...task, resume: [] }, 3)).toMatchObject({
      code: 'timeout',
      why: expect.stringContaining('a stage with a resume folder goes on in another job'),
    });
  });
});
