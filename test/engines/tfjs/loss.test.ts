import type { Tensor2D } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { createCpuEngine } from '../../../src/engines/tfjs/engine.ts';
import { classRates, meanSquaredError, tauVariancePenalty } from '../../../src/engines/tfjs/loss.ts';
import { ShapeError } from '../../../src/snn/tensor.ts';
import '../../support/all-close.ts';

const [steps, samples, classes, group] = [3, 2, 2, 2];
const labels = Int32Array.of(1, 0);
/** [T·N, classes · group], time outermost. */
const spikes = Array.from({ length: steps * samples * classes * group }, (_, i) => ((i * 7) % 11) / 11);

/** The loss in plain numbers: of the rates, or the mean of those of the steps. */
function lossOf(values: readonly number[], of: 'rate' | 'step'): number {
  const windows = of === 'rate' ? [[0, 1, 2]] : [[0], [1], [2]];
  const errors = windows.map((window) => {
    let squares = 0;
    for (let n = 0; n < samples; n++) {
      for (let c = 0; c < classes; c++) {
        const votes = window.flatMap((t) =>
          [0, 1].map((g) => values[((t * samples + n) * classes + c) * group + g]!),
        );
        const rate = votes.reduce((sum, vote) => sum + vote) / votes.length;
        squares += (rate - (labels[n] === c ? 1 : 0)) ** 2;
      }
    }
    return squares / (samples * classes);
  });
  return errors.reduce((sum, error) => sum + error) / errors.length;
}

beforeAll(() => {
  createCpuEngine('test');
  tf.setBackend('cpu');
});

describe.each([
  ['rate', steps],
  ['step', 1],
] as const)('the loss of the %s', (of, window) => {
  it('has the value and the gradient of finite differences', () => {
    const loss = (x: Tensor2D) => meanSquaredError(classRates(x, window, group), labels);
    const { value, grad } = tf.valueAndGrad((x) => loss(x as Tensor2D))(
      tf.tensor2d(spikes, [steps * samples, classes * group]),
    );
    expect(value.dataSync()).toBeAllclose([lossOf(spikes, of)]);
    const numeric = spikes.map((spike, i) => {
      const shifted = (by: number) => lossOf(spikes.with(i, spike + by), of);
      return (shifted(1e-5) - shifted(-1e-5)) / 2e-5;
    });
    expect(grad.dataSync()).toBeAllclose(numeric);
  });
});

// Its finite differences are in ../session.test.ts.
describe('the regulariser', () => {
  it('of τ matches a calculation by hand', () => {
    // w = 0, −ln 2, −ln 3 are τ = 2, 3, 4: their mean is 3 and their unbiased variance 1.
    const w = tf.tensor2d([0, -Math.log(2), -Math.log(3)], [1, 3]);
    const { value, gradient } = tauVariancePenalty(w, 0.1, 'tau');
    expect(value.dataSync()).toBeAllclose([0.1]);
    // 2 · 0.1 · (τ − 3) / 2, times dτ/dw = 1 − τ.
    expect(gradient.dataSync()).toBeAllclose([0.1 * -1 * -1, 0, 0.1 * 1 * -3]);
    expect(gradient.shape).toEqual([1, 3]);
  });

  it('of w matches a calculation by hand, and is the default', () => {
    const w = tf.tensor1d([-1, 0, 1]);
    for (const { value, gradient } of [tauVariancePenalty(w, 0.1), tauVariancePenalty(w, 0.1, 'w')]) {
      expect(value.dataSync()).toBeAllclose([0.1]);
      expect(gradient.dataSync()).toBeAllclose([-0.1, 0, 0.1]);
    }
  });

  it('rejects a single τ, whose variance is undefined', () => {
    expect(() => tauVariancePenalty(tf.tensor2d([0], [1, 1]), 0.1)).toThrow(ShapeError);
    expect(() => tauVariancePenalty(tf.tensor2d([0], [1, 1]), 0.1, 'tau')).toThrow(/at least 2, got 1/);
  });
});
