import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { writeFrames } from '../../src/data/frames/frame-writer.ts';
import { openDataset } from '../../src/data/open-dataset.ts';
import { encodeTwoScales, simulateTwoScales, writeTwoScales } from '../../src/data/simulated/two-scales.ts';
import { ALONE, TWO_SCALES } from '../support/datasets.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const FRAMES = { steps: 96, splitBy: 'duration', durationUs: 1000 } as const;
const OPTIONS = { seed: 1, trainClips: 8, testClips: 4 };

/** Events of one polarity at each step, without the pixel that fires at every step. */
function sumPixels(counts: Uint8Array, polarity: 0 | 1): number[] {
  return Array.from({ length: 96 }, (_, step) => {
    const start = (step * 2 + polarity) * 5;
    return counts.subarray(start, start + 4).reduce((sum, count) => sum + count, 0);
  });
}

/** Pairs of steps with events, so many steps apart. */
function countPairs(sums: readonly number[], apart: number): number {
  return sums.filter((sum, step) => sum > 0 && (sums[step + apart] ?? 0) > 0).length;
}

const clips = Array.from({ length: 400 }, (_, number) => simulateTwoScales(1, 'train', number));
const meanOf = (label: number, measure: (counts: Uint8Array) => number): number =>
  clips.filter((_, number) => number % 4 === label).reduce((sum, counts) => sum + measure(counts), 0) / 100;

test('each of twelve slots has a triplet of OFF events, 1 or 3 steps apart, and there are up to 30 single ones', () => {
  for (const [number, counts] of clips.entries()) {
    const sums = sumPixels(counts, 0);
    const gap = number % 2 === 1 ? 1 : 3;
    for (let slot = 0; slot < 96; slot += 8) {
      const starts = Array.from({ length: 8 - 2 * gap }, (_, i) => slot + i);
      expect(starts.some((at) => sums[at]! > 0 && sums[at + gap]! > 0 && sums[at + 2 * gap]! > 0)).toBe(true);
    }
    const events = sums.reduce((sum, one) => sum + one, 0);
    expect(events).toBeGreaterThanOrEqual(36);
    expect(events).toBeLessThanOrEqual(66);
  }
});

test('the number of events tells nothing of the class, the steps between them do', () => {
  for (const polarity of [0, 1] as const) {
    const events = [0, 1, 2, 3].map((label) =>
      meanOf(label, (counts) => sumPixels(counts, polarity).reduce((sum, one) => sum + one, 0)),
    );
    // 36 + 15 OFF events; 5 · 6 + 0.02 · 4 · 96 ON events; their standard errors are 0.9 and 0.4.
    for (const mean of events) expect(Math.abs(mean - (polarity === 0 ? 51 : 37.68))).toBeLessThan(3.6);
  }
  const close = [0, 1, 2, 3].map((label) => meanOf(label, (counts) => countPairs(sumPixels(counts, 0), 1)));
  expect(Math.min(close[1]!, close[3]!)).toBeGreaterThan(1.4 * Math.max(close[0]!, close[2]!));
});

test('clusters of ON events take 76 steps, or 36', () => {
  for (const label of [0, 1, 2, 3]) {
    // The fewest steps that have three quarters of the events: stray ones are elsewhere.
    const span = meanOf(label, (counts) => {
      const steps = sumPixels(counts, 1).flatMap((sum, step) => Array<number>(sum).fill(step));
      const share = Math.ceil(0.75 * steps.length);
      return Math.min(...steps.slice(share - 1).map((end, i) => end - steps[i]! + 1));
    });
    if (label < 2) expect(span).toBeGreaterThan(50);
    else expect(span).toBeLessThan(40);
  }
});

test('at a ratio of 1 both questions have the same intervals, and at 6 the clips are those without a ratio', () => {
  const first = Array.from({ length: 40 }, (_, number) => simulateTwoScales(1, 'train', number, 6));
  expect(first).toEqual(clips.slice(0, 40));
  for (let number = 0; number < 40; number++) {
    const sums = sumPixels(simulateTwoScales(1, 'train', number, 1), 1);
    const period = (number & 2) === 2 ? 1 : 3;
    const starts = sums.map((_, step) => [0, 1, 2, 3, 4].map((i) => sums[step + i * period] ?? 0));
    expect(starts.some((clusters) => Math.min(...clusters) >= 4)).toBe(true);
  }
});

test('asked alone, a question files the same clips by its own bit', async () => {
  const [both, long] = [await temporaryFolder(), await temporaryFolder()];
  await writeTwoScales(both, OPTIONS);
  await writeTwoScales(long, { ...OPTIONS, question: 'long' });
  expect(await readdir(path.join(long, 'Train'))).toEqual(['0', '1']);
  expect(await readdir(path.join(long, 'Train/1'))).toEqual(['2', '3', '6', '7'].map((n) => `0000${n}.bin`));
  const read = (root: string, name: string) => readFile(path.join(root, 'Train', name));
  expect(await read(long, '1/00007.bin')).toEqual(await read(both, '3/00007.bin'));
  const dataset = openDataset(ALONE);
  const manifest = await dataset.verify(long, { simulated: true });
  expect(manifest).toMatchObject({ perClass: { far: 6, close: 6 } });
});

test('a sample of 5 bytes per event: x, y, polarity and the time in µs', () => {
  const counts = new Uint8Array(96 * 2 * 5);
  counts[(66 * 2 + 1) * 5 + 3] = 2;
  // 66,000 µs is 0x0101d0.
  const event = [3, 0, 0x81, 0x01, 0xd0];
  expect([...encodeTwoScales(counts)]).toEqual([...event, ...event]);
});

test('the same seed gives the same bytes on every machine', () => {
  const digest = createHash('sha256').update(encodeTwoScales(simulateTwoScales(1, 'test', 3)));
  expect(digest.digest('hex')).toBe('cebac5f66666500fa733095728af825ea060b47cdcb495a8cbb84a300cc69c03');
  expect(simulateTwoScales(2, 'test', 3)).not.toEqual(simulateTwoScales(1, 'test', 3));
  expect(simulateTwoScales(1, 'train', 3)).not.toEqual(simulateTwoScales(1, 'test', 3));
});

test('recordings are verified as simulated, and each step becomes a frame of its own', async () => {
  const root = await temporaryFolder();
  const output = await temporaryFolder();
  const summary = await writeTwoScales(root, OPTIONS);
  expect(summary).toMatchObject({ recordings: 12, clips: 12 });
  expect(await readFile(path.join(root, 'SIMULATED.txt'), 'utf8')).toMatch(/^These recordings are SIMULATED/);
  const dataset = openDataset(TWO_SCALES);
  await expect(dataset.verify(root, { simulated: false })).rejects.toMatchObject({ code: 'data-kind' });
  const manifest = await dataset.verify(root, { simulated: true });
  expect(manifest).toMatchObject({
    simulated: true,
    splits: { train: { clips: 8 }, test: { clips: 4 } },
    perClass: { 'far-far': 3, 'close-far': 3, 'far-close': 3, 'close-close': 3 },
  });
  const frames = { dataset, root, output, settings: FRAMES, simulated: true };
  const index = await writeFrames({ ...frames, warn: (text) => expect(text).toBe('') });
  expect(index.splits.train.map((clip) => clip.recording)[2]).toBe('Train/1/00001.bin');
  const bytes = await readFile(path.join(output, 'train.npy'));
  const clipBytes = 96 * 2 * 5;
  const third = bytes.subarray(bytes.length - 6 * clipBytes, bytes.length - 5 * clipBytes);
  expect(Uint8Array.from(third)).toEqual(simulateTwoScales(1, 'train', 1));
});
