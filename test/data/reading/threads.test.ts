import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { verifyGestures } from '../../../src/data/dvs128-gesture/verify.ts';
import { divideClips } from '../../../src/data/frames/frame-thread.ts';
import { type FrameSettings, writeFrames } from '../../../src/data/frames/frame-writer.ts';
import { openDataset } from '../../../src/data/open-dataset.ts';
import { defineThreadJob, putTogether, runInThreads, takeApart } from '../../../src/data/reading/threads.ts';
import { GESTURES, NMNIST } from '../../support/datasets.ts';
import { gestureFacts, gestureFiles, makeRecording, writeGestures } from '../../support/gesture-fixture.ts';
import { bundleStage } from '../../support/stage-bundle.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

let frames: Awaited<ReturnType<typeof bundleStage>>;
let verify: Awaited<ReturnType<typeof bundleStage>>;
let root: string;
let output: string;
beforeAll(async () => {
  frames = await bundleStage('stages/frames.ts');
  verify = await bundleStage('stages/verify.ts');
});
afterAll(async () => {
  await frames.remove();
  await verify.remove();
});
beforeEach(async () => {
  root = await temporaryFolder();
  output = path.join(root, 'out');
});

const settings: FrameSettings = { steps: 2, splitBy: 'number', downsample: 32, normalization: 'frequency' };
const files = ['clips.json', 'test.npy', 'train.npy'];

async function readAll(folder: string): Promise<string[]> {
  return Promise.all(files.map((name) => readFile(path.join(folder, name), 'base64')));
}

describe('frames made in threads of the stage’s own bundle', () => {
  const base = { dataset: openDataset(GESTURES), simulated: false, settings };

  test('are the same with few or many threads as without', async () => {
    await writeGestures(root, gestureFiles(false));
    await writeFrames({ ...base, root, output });
    const expected = await readAll(output);
    for (const count of [1, 2, 9]) {
      const own = path.join(root, `own-${count}`);
      const done: string[] = [];
      const progress = (some: number, total: number) => done.push(`${some}/${total}`);
      await writeFrames({ ...base, root, output: own, progress, threads: { count, module: frames.file } });
      expect(await readAll(own)).toEqual(expected);
      expect((await readdir(own)).sort()).toEqual(files);
      expect(done.at(-1)).toBe('4/4');
    }
  });

  test('are the same for samples in folders', async () => {
    for (const name of ['Train/7/00010.bin', 'Train/7/00009.bin', 'Test/0/00001.bin']) {
      await mkdir(path.dirname(path.join(root, name)), { recursive: true });
      await writeFile(path.join(root, name), Uint8Array.of(1, 2, 0x80, 0, 100, 33, 2, 0, 0, 200));
    }
    const own = {
      dataset: openDataset(NMNIST),
      simulated: false,
      settings: { ...settings, downsample: 1 },
      root,
    };
    await writeFrames({ ...own, output });
    const threads = { count: 2, module: frames.file };
    await writeFrames({ ...own, output: path.join(root, 'own'), threads });
    expect(await readAll(path.join(root, 'own'))).toEqual(await readAll(output));
  });

  test('fail as without, and leave nothing behind', async () => {
    const broken = gestureFiles(false);
    broken.set('user02_led.aedat', broken.get('user02_led.aedat')!.subarray(0, 600));
    await writeGestures(root, broken);
    const errorOf = (threads?: { count: number; module: string }) =>
      writeFrames({ ...base, root, output, threads }).then(
        () => null,
        ({ name, code, message, where, fix }) => ({ name, code, message, where, fix }),
      );
    const expected = await errorOf();
    expect(expected).toMatchObject({ name: 'ReproError', code: 'aedat-truncated' });
    expect(await errorOf({ count: 2, module: frames.file })).toEqual(expected);
    expect(await readdir(output)).toEqual([]);
  });

  test('pass on what a system error says besides its message', async () => {
    const error = await readFile(path.join(root, 'none')).catch((thrown: unknown) => thrown);
    const { isForPeople, ...parts } = structuredClone(takeApart(error));
    expect(isForPeople).toBe(false);
    expect(putTogether({ isForPeople, ...parts })).toMatchObject({
      message: expect.stringContaining('no such file'),
      code: 'ENOENT',
      syscall: 'open',
      path: path.join(root, 'none'),
    });
  });

  test('stop when the signal is aborted', async () => {
    await writeGestures(root, gestureFiles(false));
    const stop = new AbortController();
    const threads = { count: 2, module: frames.file };
    const progress = () => stop.abort(new Error('stopped'));
    const made = writeFrames({ ...base, root, output, threads, progress, signal: stop.signal });
    await expect(made).rejects.toThrow('stopped');
    expect(await readdir(output)).toEqual([]);
  });
});

describe('recordings checked in threads', () => {
  test('give the same manifest', async () => {
    await writeGestures(root, gestureFiles(false));
    const expected = await verifyGestures(root, { simulated: false }, gestureFacts());
    expect(expected.perUserLight).toEqual({
      user01: { led: 12, natural: 12 },
      user02: { led: 12 },
      user24: { led: 12 },
    });
    const done: number[] = [];
    const progress = (some: number) => done.push(some);
    const options = { simulated: false, progress, threads: { count: 2, module: verify.file } };
    expect(await verifyGestures(root, options, gestureFacts())).toEqual(expected);
    expect(done).toEqual([1, 2, 3, 4]);
  });

  test('report the same problems', async () => {
    const broken = gestureFiles(false);
    broken.set('user24_led.aedat', makeRecording(3).subarray(0, 700));
    broken.set('user01_led.aedat', makeRecording(99));
    await writeGestures(root, broken);
    const messageOf = (threads?: { count: number; module: string }) =>
      verifyGestures(root, { simulated: false, threads }, gestureFacts()).then(
        () => null,
        (error: Error) => error.message,
      );
    const expected = await messageOf();
    expect(expected).toContain('cut off, 700 B: user24_led.aedat: packet 3, byte 673');
    expect(await messageOf({ count: 2, module: verify.file })).toBe(expected);
  });
});

describe('threads', () => {
  const job = defineThreadJob<null, number, number>('test', () => async () => {});
  const work = { setup: null, tasks: [1, 2, 3], receive: () => undefined };

  test.each([
    ['that end by themselves', 'process.exit(3)', 'exit code 3'],
    ['that throw while loading', 'throw new Error("no such luck")', 'no such luck'],
    ['whose module has no such job', '', 'exit code 0'],
  ])('%s are an error that says so', async (_, source, message) => {
    const module = path.join(root, 'broken.mjs');
    await writeFile(module, source);
    await expect(runInThreads(job, { ...work, threads: { count: 2, module } })).rejects.toMatchObject({
      code: 'thread-ended',
      message: expect.stringContaining(message),
    });
  });

  test('get the recordings in parts that cover each clip once, the last ones being small', () => {
    const clip = { user: null, light: null, trial: null, class: 0, startUs: null, endUs: null };
    const list = (split: string, count: number) =>
      Array.from({ length: count }, (_, i) => ({ ...clip, recording: `${split}${i >> 1}` }));
    const clips = { train: list('a', 200), test: list('b', 50) };
    const tasks = divideClips(clips, 2);
    for (const split of ['train', 'test'] as const) {
      const rows = tasks.flatMap((task) => task.rows[split]);
      expect(rows.toSorted((a, b) => a - b)).toEqual(clips[split].map((_, row) => row));
      for (const task of tasks) {
        expect(task.clips[split]).toEqual(task.rows[split].map((row) => clips[split][row]));
      }
    }
    const sizes = tasks.map((task) => task.rows.train.length + task.rows.test.length);
    expect(sizes[0]).toBe(2 * Math.ceil(125 / 4));
    expect(sizes.at(-1)).toBe(2);
  });
});
