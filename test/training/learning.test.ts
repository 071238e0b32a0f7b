import { expect, it } from 'vitest';
import { buildNetwork } from '../../src/network/networks.ts';
import { TorchRandom } from '../../src/network/torch-random.ts';
import type { LabelledClips } from '../../src/training/clip-source.ts';
import { type TrainingTask, trainNetwork } from '../../src/training/loop.ts';
import { splitClips } from '../../src/training/training-clips.ts';
import { builds, nativeEngine } from '../native/support.ts';
import { memorySource } from '../support/memory-source.ts';
import { smallNetwork } from './small-task.ts';

const [steps, size] = [4, 8];

/** A blob of events that moves right (class 0), left (1) or stays (2), on background noise. */
function movingBlobs(count: number, seed: number): LabelledClips {
  const random = new TorchRandom(seed);
  const pixels = size * size;
  const data = new Uint8Array(count * steps * 2 * pixels);
  const labels = Int32Array.from({ length: count }, (_, clip) => clip % 3);
  labels.forEach((label, clip) => {
    const direction = [1, -1, 0][label]!;
    const row = 1 + Math.floor(random.uniform() * (size - 2));
    for (let step = 0; step < steps; step++) {
      const column = Math.floor(size / 2) + direction * (step - 1);
      const frame = (clip * steps + step) * 2 * pixels;
      for (let i = 0; i < 2 * pixels; i++) if (random.uniform() < 0.03) data[frame + i] = 1;
      for (const polarity of [0, 1]) {
        for (const shift of [0, 1]) data[frame + polarity * pixels + (row + shift) * size + column] = 4;
      }
    }
  });
  return { source: memorySource(data, count, [steps, 2, size, size]), labels };
}

function blobTask(): TrainingTask {
  const train = movingBlobs(72, 1);
  return {
    engine: nativeEngine(builds.at(-1)),
    spec: buildNetwork({
      ...smallNetwork,
      input: [2, size, size],
      channels: 6,
      layers: 2,
      votes: 4,
      hidden: 24,
    }),
    seed: 2020,
    settings: {
      epochs: 12,
      batchSize: 12,
      learningRate: 1e-2,
      cosineHalfPeriod: 64,
      validationShare: 0.15,
      testEvery: 1,
      regulariseTau: 0.1,
    },
    train,
    test: movingBlobs(30, 2),
    testRows: Int32Array.from({ length: 30 }, (_, row) => row),
    split: splitClips(train.labels, 3, 0.15),
  };
}

it('learns to distinguish directions of motion: the loss falls, the accuracy rises above chance', async () => {
  const { rows, best } = await trainNetwork(blobTask());
  expect(rows.at(-1)!.train.loss).toBeLessThan(0.7 * rows[0]!.train.loss);
  expect(rows.at(-1)!.test!.accuracy).toBeGreaterThan(0.6);
  expect(best.validationAccuracy).toBeGreaterThan(0.6);
  const layer = rows.at(-1)!.layers[0]!;
  expect(layer.tauStd).toBeGreaterThan(0);
  expect(layer.spikeRate).toBeGreaterThan(0);
});
