import { describe, expect, test } from 'vitest';
import type { Engine, Frames } from '../../src/network/engines/engine.ts';
import { chooseEngine } from '../../src/network/engines/selection/engines.ts';
import { buildNetwork } from '../../src/network/networks.ts';
import { COMPAT_DEFAULTS, type Compat } from '../../src/results/thesis/compat.ts';
import type { TrainingSettings } from '../../src/training/resolve-model.ts';
import { countPasses, drawMovingDisc, measureSpeed } from '../../src/training/speed.ts';
import { GESTURES } from '../support/datasets.ts';
import { thesisNetwork } from '../support/thesis-network.ts';
import { type FakeEngineOptions, fakeEngine } from './fake-engine.ts';
import { smallNetwork } from './small-task.ts';

const spec = buildNetwork(smallNetwork);

/** Measures an engine for which each pass takes as many seconds as the next number of its list, or the last one again. */
async function measure(
  stepSeconds: number[],
  evaluationSeconds: number[],
  { atOnce = 1, ...options }: FakeEngineOptions & { readonly atOnce?: number } = {},
) {
  const calls = { steps: 0, evaluations: 0 };
  let nowMs = 0;
  const speed = await measureSpeed(
    fakeEngine({
      ...options,
      onStep: (...all) => {
        nowMs += 1000 * (stepSeconds[calls.steps++] ?? stepSeconds.at(-1) ?? 0);
        options.onStep?.(...all);
      },
      onEvaluate: () => {
        nowMs += 1000 * (evaluationSeconds[calls.evaluations++] ?? evaluationSeconds.at(-1) ?? 0);
      },
    }),
    spec,
    { steps: 3, atOnce, budgetSeconds: 2, now: () => nowMs },
  );
  return { speed, calls };
}

const gradient = expect.any(Number);

describe('measuring the speed of an engine', () => {
  test('gives the best of a few passes, for each of two clips, and leaves out the first', async () => {
    const { speed, calls } = await measure([0.25, 0.5, 0.375], [0.0625, 0.125, 0.25]);
    expect(speed).toEqual({ training: 0.1875, evaluation: 0.0625, samples: 2, gradient });
    expect(calls).toEqual({ steps: 4, evaluations: 4 });
  });

  test('measures a pass at least once after the first, even if time is up', async () => {
    const { speed, calls } = await measure([64, 8], [32, 4]);
    expect(speed).toEqual({ training: 4, evaluation: 2, samples: 2, gradient });
    expect(calls).toEqual({ steps: 2, evaluations: 2 });
  });

  test('runs as many networks at once as told, and divides the processor time among them', async () => {
    const { speed, calls } = await measure([0.0625], [0.03125], { atOnce: 3 });
    expect(speed).toEqual({ training: 0.03125, evaluation: 0.015625, samples: 2, gradient });
    expect(calls).toEqual({ steps: 3 * 4, evaluations: 3 * 4 });
  });

  test('refuses an engine whose loss is not finite', async () => {
    for (const loss of [NaN, Infinity])
      await expect(measure([0.25], [0.0625], { loss: () => loss })).rejects.toThrow(
        `the loss of a step is ${loss}`,
      );
  });

  test('measures the length of the gradient, which does not depend on the number of steps', async () => {
    const engine = await chooseEngine('wasm');
    const lengthOf = async (mostRepeats: number) => {
      const limits = { steps: 2, atOnce: 1, budgetSeconds: 1e3, now: () => 0, mostRepeats };
      return (await measureSpeed(engine, spec, limits)).gradient;
    };
    const once = await lengthOf(1);
    expect(once).toBeGreaterThan(0);
    expect(await lengthOf(9)).toBeCloseTo(once, 6);
  });

  test('trains on sparse frames without changing a parameter, and disposes of every session', async () => {
    const seen: { frames?: Frames; rate?: number } = {};
    const engine = fakeEngine({
      onStep: (_, { frames }, { learningRate }) => Object.assign(seen, { frames, rate: learningRate }),
    });
    let disposed = 0;
    const observed: Engine = {
      ...engine,
      open: async (...all) => {
        const session = await engine.open(...all);
        return {
          ...session,
          dispose() {
            disposed += 1;
          },
        };
      },
    };
    await measureSpeed(observed, spec, { steps: 3, atOnce: 2, budgetSeconds: 0, now: () => 0 });
    expect(seen).toMatchObject({ rate: 0, frames: { shape: [2, 3, 2, 4, 4] } });
    expect(disposed).toBe(2);
  });
});

test.each([34, 128])(
  'a moving disc fills about a twentieth of the frames at %i pixels, in both polarities',
  (size) => {
    const clip = drawMovingDisc([1, 20, 2, size, size], 0);
    const share = (of: Uint8Array) => of.filter((count) => count > 0).length / of.length;
    expect(share(clip)).toBeGreaterThan(0.04);
    expect(share(clip)).toBeLessThan(0.07);
    const plane = size * size;
    for (const polarity of [0, 1]) {
      expect(share(clip.subarray(polarity * plane, (polarity + 1) * plane))).toBeGreaterThan(0.02);
    }
    // It moves, and another clip starts elsewhere.
    expect(clip.subarray(0, 2 * plane)).not.toEqual(clip.subarray(2 * plane, 4 * plane));
    expect(drawMovingDisc([1, 20, 2, size, size], 1)).not.toEqual(clip);
  },
);

const thesis: TrainingSettings = {
  epochs: 1256,
  batchSize: 16,
  learningRate: 0.001,
  cosineHalfPeriod: 64,
  validationShare: 0.15,
  testEvery: 1,
  regulariseTau: 0,
};

const gestures = { train: 98, test: 24, clipsByClass: GESTURES.clipsByClass };

function count(
  settings: Partial<TrainingSettings> = {},
  compat: Partial<Compat> = {},
  again: Partial<Parameters<typeof countPasses>[2]> = {},
  per: 'layer' | 'neuron' = 'layer',
) {
  const network = { ...thesisNetwork, tau: { per, mean: 2, std: 0 } };
  return countPasses(
    { network, training: { ...thesis, ...settings }, compat: { ...COMPAT_DEFAULTS, ...compat } },
    gestures,
    { orders: 0, changes: 0, ...again },
  );
}

test('an epoch trains on the whole batches of 1,007 clips and evaluates 169 + 288, as does the evaluation afterwards', () => {
  expect(count({ epochs: 1 })).toEqual({ trained: 62 * 16, evaluated: 2 * (169 + 288) });
  expect(count()).toEqual({ trained: 1256 * 992, evaluated: 1257 * 457 });
});

test('the evaluation afterwards runs the test clips again in each other order of frames', () => {
  expect(count({ epochs: 1 }, {}, { orders: 3 })).toEqual({
    trained: 992,
    evaluated: 2 * (169 + 288) + 3 * 288,
  });
});

test('a network that was trained without an order is evaluated in no other', () => {
  const unordered = count({ epochs: 1, frameOrder: 'shuffled' }, {}, { orders: 3 });
  expect(unordered).toEqual(count({ epochs: 1 }));
});

test('changes of τ run the test clips twice each, and an epoch of training clips, if neurons have their own τ', () => {
  expect(count({ epochs: 1 }, {}, { changes: 4 }, 'neuron')).toEqual({
    trained: 6 * 992,
    evaluated: 2 * (169 + 288) + 10 * 288,
  });
  expect(count({ epochs: 1 }, {}, { changes: 4 })).toEqual(count({ epochs: 1 }));
});

test('test clips count only in the epochs that run them: every `testEvery`, and the last', () => {
  expect(count({ epochs: 5, testEvery: 2 }).evaluated).toBe(6 * 169 + (3 + 1) * 288);
});

test('switches change how many clips there are: 900 and 156 of the first 88 recordings', () => {
  expect(count({ epochs: 1, batchSize: 1 }, { trials: 'first-88' })).toEqual({
    trained: 900,
    evaluated: 2 * (156 + 288),
  });
  // 10 of 169 clips are left over from whole batches, but not in the evaluation afterwards.
  expect(count({ epochs: 1 }, { validation: 'shuffled-drop-last' }).evaluated).toBe(160 + 288 + 169 + 288);
});
