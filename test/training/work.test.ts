import { expect, test } from 'vitest';
import { CLASSES, PUBLISHED, ROWS_PER_CLASS } from '../../src/datasets/dvs128-gesture/facts.ts';
import { COMPAT_DEFAULTS, type Compat } from '../../src/thesis/compat.ts';
import { DATA_SETS } from '../../src/thesis/data-sets.ts';
import type { TrainingSettings } from '../../src/training/model-file.ts';
import { countPasses } from '../../src/training/work.ts';

const thesis: TrainingSettings = {
  epochs: 1256,
  batchSize: 16,
  learningRate: 0.001,
  cosineHalfPeriod: 64,
  validationShare: 0.15,
  testEvery: 1,
  regulariseTau: 0,
};

const gestures = DATA_SETS['dvs128-gesture'].recordings;

function count(settings: Partial<TrainingSettings> = {}, compat: Partial<Compat> = {}) {
  return countPasses(
    { training: { ...thesis, ...settings }, compat: { ...COMPAT_DEFAULTS, ...compat } },
    gestures,
  );
}

test('the recordings of DVS128 Gesture are those that it is verified against', () => {
  expect(gestures).toEqual({
    train: Object.keys(PUBLISHED.train).length,
    test: Object.keys(PUBLISHED.test).length,
    clipsByClass: ROWS_PER_CLASS,
  });
  expect(ROWS_PER_CLASS).toHaveLength(CLASSES.length);
});

test('an epoch trains on the whole batches of 1,007 clips and evaluates 169 + 288, as does the evaluation afterwards', () => {
  expect(count({ epochs: 1 })).toEqual({ trained: 62 * 16, evaluated: 2 * (169 + 288) });
  expect(count()).toEqual({ trained: 1256 * 992, evaluated: 1257 * 457 });
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
