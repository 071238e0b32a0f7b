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
import { GESTURES, SPOKEN_DIGITS } from '../support/datasets.ts';
import type { MadeUp } from './made-up-results.ts';

const DIGITS = Array.from({ length: 10 }, (_, digit) => String(digit));

export function classesOf(dataset: string): readonly string[] {
  if (dataset === 'spoken-digits') return SPOKEN_DIGITS.classes;
  return dataset === 'dvs128-gesture' ? GESTURES.classes : DIGITS;
}

export function frameFormat({ dataset, steps }: Pick<MadeUp, 'dataset' | 'steps'>): FrameFormat {
  const common = { steps, dtype: 'uint8', normalization: null } as const;
  if (dataset === 'spoken-digits') {
    const layout = { splitBy: 'duration', durationUs: 20_000, from: 'file' } as const;
    return { ...common, ...layout, downsample: 1, height: 1, width: 64 };
  }
  return { ...common, splitBy: 'number', downsample: 4, height: 32, width: 32 };
}

/** The frame cache, with its examples. Test clips are in the order of predictions.csv, class by class. */
export async function writeFrames(examples: string, made: MadeUp): Promise<void> {
  const { dataset, simulated, clips, steps } = made;
  const gestures = dataset === 'dvs128-gesture';
  const classes = classesOf(dataset);
  const { height, width } = frameFormat(made);
  const describe = (label: number, row: number, split: string) => {
    const data = moveSquare(label, row, { steps, height, width });
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
    const data = new Uint8Array(all.length * steps * 2 * height * width);
    all.forEach((clip, row) => {
      data.set(clip.data, row * clip.data.length);
    });
    await write(
      join(folder, file),
      encodeNpy({ dtype: 'uint8', shape: [all.length, steps, 2, height, width], data }),
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
    return { ...clip, frames: { shape: [steps, 2, height, width], data } };
  });
  await writeClipExamples(examples, { dataset, simulated, kind: 'events', classes, examples: shown });
}

/** A bright square, or in one row a line, that moves to the right, faster for later classes: [T, 2, H, W]. */
function moveSquare(
  label: number,
  row: number,
  { steps, height, width }: Pick<FrameFormat, 'steps' | 'height' | 'width'>,
): Uint8Array<ArrayBuffer> {
  const data = new Uint8Array(steps * 2 * height * width);
  const top = height === 1 ? 0 : 4 + (row % 17);
  for (let step = 0; step < steps; step++) {
    const left = (row + step * (label + 2)) % (width - 8);
    for (let y = top; y < Math.min(height, top + 8); y++) {
      data[(step * 2 * height + y) * width + left] = 1 + (step % 3);
      data[((step * 2 + 1) * height + y) * width + left + 7] = 3;
    }
  }
  return data;
}

export async function write(file: string, text: string | Uint8Array): Promise<void> {
  await mkdir(join(file, '..'), { recursive: true });
  await writeFile(file, text);
}
