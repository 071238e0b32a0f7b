import { expect, it } from 'vitest';
import { AUGMENTATIONS, type CachedClip } from '../../src/results/clip-index.ts';
import { COMPAT_DEFAULTS } from '../../src/results/thesis/compat.ts';
import { setUpTraining } from '../../src/training/train-on-frames.ts';
import { memorySource } from '../support/memory-source.ts';
import { smallNetwork, smallTask } from './small-task.ts';

/** Ten images in two classes. */
const images = Array.from(
  { length: 10 },
  (_, i): CachedClip => ({
    recording: `image ${i}`,
    user: null,
    light: null,
    trial: null,
    class: i % 2,
    startUs: null,
    endUs: null,
    events: null,
  }),
);

it('the split of still images draws the variation of each, unless none are held back', () => {
  const drawsWith = (validationShare: number) =>
    AUGMENTATIONS.map((augmentation) => {
      const source = memorySource(new Uint8Array(10 * 2 * 4 * 4), 10, [1, 2, 4, 4]);
      const { input, classes: _, ...network } = smallNetwork;
      const frames = {
        index: {
          dataset: 'mnist',
          simulated: false,
          classes: ['0', '1'],
          sensor: { height: 4, width: 4 },
          frames: {
            steps: 1,
            splitBy: null,
            downsample: 1,
            height: 4,
            width: 4,
            dtype: 'uint8',
            normalization: null,
          },
          images: { mean: [0, 0], std: [1, 1], augmentation },
          splits: { train: images, test: images },
        },
        input,
        train: source,
        test: source,
        rows: { train: Int32Array.from(images.keys()), test: Int32Array.from(images.keys()) },
        close: async () => {},
      } as const;
      const training = { ...smallTask().settings, validationShare };
      const model = { title: 'm', network, training, compat: COMPAT_DEFAULTS, warnings: [] };
      return setUpTraining(frames, model, 1).task.drawsBefore;
    });
  expect(drawsWith(0.2)).toEqual([0, 40, 30]);
});
