import { describe, expect, it } from 'vitest';
import { type LoggedCurves, placeOnEpochs } from '../../../src/report/inputs/reference-epochs.ts';

/** Curves from lists of steps; every value is 0.5. */
function curvesOf(steps: Readonly<Record<string, readonly number[]>>): LoggedCurves {
  return new Map(
    Object.entries(steps).map(([tag, list]) => [tag, list.map((step) => ({ step, value: 0.5 }))]),
  );
}

const epochsOf = (points: readonly { readonly epoch: number }[] | undefined) =>
  points?.map(({ epoch }) => epoch);

describe('placeOnEpochs', () => {
  it('counts epochs from 1, and finds that of a batch from the steps of w', () => {
    const placed = placeOnEpochs(
      curvesOf({ test_accuracy: [0, 1, 2], w0: [28, 56, 84], train_loss: [0, 27, 28, 83, 84] }),
      [],
    );
    expect(placed?.epochs).toEqual([1, 3]);
    expect(epochsOf(placed?.accuracy.test)).toEqual([1, 2, 3]);
    expect(epochsOf(placed?.tau[0])).toEqual([1, 2, 3]);
    // Batch 84 belongs to an unfinished epoch, of 28 batches like the others.
    expect(epochsOf(placed?.trainLoss)).toEqual([1, 1, 2, 3, 4]);
  });

  it('needs no constant batch size: w at step 32,502 after epoch 434 (from 0) is not a multiple of 28', () => {
    const placed = placeOnEpochs(
      curvesOf({ val_accuracy: [434, 435], w0: [32502, 32530], train_accuracy: [32473, 32474, 32512] }),
      [],
    );
    expect(placed?.placed).toBe(true);
    expect(epochsOf(placed?.tau[0])).toEqual([435, 436]);
    expect(epochsOf(placed?.accuracy.train)).toEqual([435, 436]);
  });

  it('places losses before the logged epochs only if all epochs have the same number of batches', () => {
    const steps = { val_accuracy: [1256, 1257], train_loss: [0, 35195, 35196, 36863] };
    const steady = placeOnEpochs(curvesOf({ ...steps, w0: [35196, 35224] }), []);
    expect(epochsOf(steady?.trainLoss)).toEqual([1, 1257, 1258, 1317]);
    const changed = placeOnEpochs(curvesOf({ ...steps, w0: [35200, 35228] }), []);
    expect(epochsOf(changed?.trainLoss)).toEqual([1257, 1257]);
  });

  it('finds the epochs of a training from its start even if the last one has no accuracy yet', () => {
    const placed = placeOnEpochs(curvesOf({ test_accuracy: [0, 1], w0: [28, 56, 84], train_loss: [60] }), []);
    expect(epochsOf(placed?.tau[0])).toEqual([1, 2, 3]);
    expect(epochsOf(placed?.trainLoss)).toEqual([3]);
  });

  it('places no batches if their epochs are unknown', () => {
    for (const w0 of [[], [100, 128]]) {
      const placed = placeOnEpochs(curvesOf({ test_accuracy: [4, 5, 6], w0, train_loss: [110] }), []);
      expect(placed).toMatchObject({ placed: false, trainLoss: [], accuracy: { train: [] } });
      expect(epochsOf(placed?.accuracy.test)).toEqual([5, 6, 7]);
    }
  });

  it('converts w to τ, layer by layer', () => {
    const placed = placeOnEpochs(
      new Map([
        ['val_accuracy', [{ step: 0, value: 1 }]],
        ['w1', [{ step: 9, value: 0 }]],
        ['w0', [{ step: 9, value: -Math.log(2) }]],
      ]),
      [],
    );
    expect(placed?.tau).toEqual([[{ epoch: 1, value: 3 }], [{ epoch: 1, value: 2 }]]);
  });

  it('is null if nothing was tested or validated', () => {
    expect(placeOnEpochs(curvesOf({ w0: [28] }), [])).toBeNull();
  });
});
