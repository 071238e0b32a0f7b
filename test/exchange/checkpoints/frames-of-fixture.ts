import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { encodeNpy } from '../../../src/formats/npy.ts';
import { readSafetensors } from '../../../src/formats/safetensors.ts';
import { type CachedClip, type ClipIndex, formatClipIndex } from '../../../src/results/clip-index.ts';
import { torchFixture } from '../../support/torch-file.ts';

/** PyTorch's rates for the three clips of `baseline.pt` are highest for the classes 1, 0 and 1. */
export const labels = [1, 0, 0];

/** PyTorch's rates of `baseline.pt` for its clips, [3, 3]. */
export function expectedRates(): Float32Array {
  const rates = readSafetensors(torchFixture('baseline-expected.safetensors')).tensors.get('rates');
  if (rates?.dtype !== 'F32') throw new Error('no rates');
  return rates.data;
}

/** The frames of caches from before they recorded invalid events. */
export const olderFrames: ClipIndex['frames'] = {
  ...{ steps: 6, splitBy: 'number', downsample: 8, height: 16, width: 16, dtype: 'uint8' },
  normalization: null,
};

/** A frame cache whose test and training clips are those that PyTorch ran `baseline.pt` on. */
export async function writeFrameCache(folder: string, changes: Partial<ClipIndex> = {}): Promise<string> {
  const frames = readSafetensors(torchFixture('baseline-expected.safetensors')).tensors.get('frames');
  if (frames?.dtype !== 'F32') throw new Error('no frames');
  const clips = labels.map(
    (label, row): CachedClip => ({
      recording: `user0${row}_led.aedat`,
      user: row,
      light: 'led',
      trial: row,
      class: label,
      startUs: 0,
      endUs: 1000,
      events: 99,
    }),
  );
  const index: ClipIndex = {
    dataset: 'dvs128-gesture',
    simulated: true,
    classes: ['clap', 'wave', 'roll'],
    sensor: { height: 128, width: 128 },
    frames: { ...olderFrames, invalidEvents: 'keep' },
    splits: { train: clips, test: clips },
    ...changes,
  };
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, 'clips.json'), formatClipIndex(index));
  for (const split of ['train', 'test']) {
    const bytes = encodeNpy({ dtype: 'uint8', shape: frames.shape, data: Uint8Array.from(frames.data) });
    await writeFile(path.join(folder, `${split}.npy`), bytes);
  }
  return folder;
}

/** A cache of still images, all black, of the size of these frames. */
export async function writeImageCache(folder: string): Promise<string> {
  const images = { mean: [0.5, 0.5], std: [1, 1], augmentation: 'none' } as const;
  await writeFrameCache(folder, { images, frames: { ...olderFrames, steps: 1, splitBy: null } });
  const data = new Uint8Array(3 * 2 * 16 * 16);
  for (const split of ['train', 'test'])
    await writeFile(
      path.join(folder, `${split}.npy`),
      encodeNpy({ dtype: 'uint8', shape: [3, 1, 2, 16, 16], data }),
    );
  return folder;
}
