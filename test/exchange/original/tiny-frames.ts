import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { encodeNpy } from '../../../src/formats/npy.ts';
import { TorchRandom } from '../../../src/network/torch-random.ts';
import { FRAME_CACHE_FILES, formatClipIndex } from '../../../src/results/clip-index.ts';

/** T, height and width of the tiny frames. */
export const tinySize = { steps: 3, height: 8, width: 8 } as const;

/** Writes a frame cache of random counts, marked as simulated: 24 training clips and 9 test clips in 3 classes. */
export async function writeTinyFrames(folder: string, seed = 1): Promise<void> {
  await mkdir(folder, { recursive: true });
  const random = new TorchRandom(seed);
  const { steps, height, width } = tinySize;
  const split = async (name: 'train' | 'test', clips: number) => {
    const shape = [clips, steps, 2, height, width];
    const length = shape.reduce((product, one) => product * one, 1);
    // Counts increase with the class, so that there is something to learn.
    const data = Uint8Array.from({ length }, (_, i) => {
      const label = Math.floor(i / (length / clips)) % 3;
      return Math.floor(random.uniform() * (2 + label));
    });
    await writeFile(path.join(folder, FRAME_CACHE_FILES[name]), encodeNpy({ dtype: 'uint8', shape, data }));
    return Array.from({ length: clips }, (_, row) => ({
      recording: `user${String(row + 1).padStart(2, '0')}_led.aedat`,
      user: row + 1,
      light: 'led',
      trial: row,
      class: row % 3,
      startUs: 0,
      endUs: 1000,
      events: 99,
    }));
  };
  const index = formatClipIndex({
    dataset: 'dvs128-gesture',
    simulated: true,
    classes: ['clap', 'wave', 'roll'],
    sensor: { height: 128, width: 128 },
    frames: { ...tinySize, splitBy: 'number', downsample: 16, dtype: 'uint8', normalization: null },
    splits: { train: await split('train', 24), test: await split('test', 9) },
  });
  await writeFile(path.join(folder, FRAME_CACHE_FILES.index), index);
}

/** The arguments for a training on them, without the folder and the number of epochs. */
export const tinyArguments =
  '-init_tau 2.0 -use_max_pool -device cpu -dataset_name DVS128Gesture -T 3 -detach_reset -channels 2 -number_layer 2 -split_by number -normalization None -use_plif -tau_per_neuron -tau_std_dev 0.1 -reg_lambda 0.1 -batch_size 4 -learning_rate 0.01'.split(
    ' ',
  );
