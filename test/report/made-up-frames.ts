import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { encodeNpy } from '../../src/formats/npy.ts';
import { type ClipExample, writeClipExamples } from '../../src/results/clip-examples.ts';
import {
  type ClipIndex,
  FRAME_CACHE_FILES,
  type FrameFormat,
  formatClipIndex,
} from '../../src/results/clip-index.ts';
import { GESTURES } from '../support/datasets.ts';
import type { MadeUp } from './made-up-results.ts';

const DIGITS = Array.from({ length: 10 }, (_, digit) => String(digit));

export function classesOf(dataset: string): readonly string[] {
  return dataset === 'dvs128-gesture' ? GESTURES.classes : DIGITS;
}

export const SIZE = 32;

export function frameFormat({ steps }: MadeUp): FrameFormat {
  return {
    ...{ steps, splitBy: 'number', downsample: 4, height: SIZE, width: SIZE },
    ...{ dtype: 'uint8', normalization: null },
  };
}

/** The frame cache, with its examples. Test clips are in the order of predictions.csv, class by class. */
export async function writeFrames(examples: string, made: MadeUp): Promise<void> {
  const { dataset, simulated, clips, steps } = made;
  const gestures = dataset === 'dvs128-gesture';
  const classes = classesOf(dataset);
  const describe = (label: number, row: number, split: string) => {
    const data = moveSquare(label, row, steps);
    return {
      ...{ class: label, recording: gestures ? 'user09_led.aedat' : `${split}/${label}/${row}.bin` },
      ...{ user: gestures ? 9 : null, light: gestures ? 'led' : null, startUs: 0, endUs: 300_000 },
      events: data.reduce((sum, count) => sum + count, 0),
      data,
    };
  };
  const list = (count: number, split: string) =>
    Array.from({ length: count }, (_, row) => row % classes.length)
      .sort((a, b) => a - b)
      .map((label, row) => describe(label, row, split));
  const train = list(clips.train + clips.validation, 'Train');
  const test = list(clips.test, 'Test');
  const folder = join(examples, '..');
  for (const [file, all] of [
    [FRAME_CACHE_FILES.train, train],
    [FRAME_CACHE_FILES.test, test],
  ] as const) {
    const data = new Uint8Array(all.length * steps * 2 * SIZE * SIZE);
    all.forEach((clip, row) => {
      data.set(clip.data, row * clip.data.length);
    });
    await write(
      join(folder, file),
      encodeNpy({ dtype: 'uint8', shape: [all.length, steps, 2, SIZE, SIZE], data }),
    );
  }
  const known = ({ data: _, ...clip }: (typeof test)[number], row: number) => {
    return { ...clip, ...(made.folds && { user: row % 6 }), trial: null };
  };
  const index: ClipIndex = {
    ...{ dataset, simulated, classes, sensor: { height: 128, width: 128 }, frames: frameFormat(made) },
    splits: {
      train: train.map((clip, row) => known(clip, row)),
      test: test.map((clip, row) => known(clip, train.length + row)),
    },
  };
  await write(join(folder, FRAME_CACHE_FILES.index), formatClipIndex(index));
  const firsts = classes.map((_, label) => test.find((clip) => clip.class === label)!);
  const shown = firsts.map(({ data, ...clip }): ClipExample => {
    return { ...clip, frames: { shape: [steps, 2, SIZE, SIZE], data } };
  });
  await writeClipExamples(examples, { dataset, simulated, kind: 'events', classes, examples: shown });
}

/** A bright square that moves to the right, faster for later classes: [T, 2, H, W]. */
function moveSquare(label: number, row: number, steps: number): Uint8Array<ArrayBuffer> {
  const data = new Uint8Array(steps * 2 * SIZE * SIZE);
  const top = 4 + (row % 17);
  for (let step = 0; step < steps; step++) {
    const left = (row + step * (label + 2)) % (SIZE - 8);
    for (let y = top; y < top + 8; y++) {
      data[(step * 2 * SIZE + y) * SIZE + left] = 1 + (step % 3);
      data[((step * 2 + 1) * SIZE + y) * SIZE + left + 7] = 3;
    }
  }
  return data;
}

export async function write(file: string, text: string | Uint8Array): Promise<void> {
  await mkdir(join(file, '..'), { recursive: true });
  await writeFile(file, text);
}
