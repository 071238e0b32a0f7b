import type { Tensor2D } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { createCpuEngine } from '../../../src/engines/tfjs/engine.ts';
import { classRates, meanSquaredError } from '../../../src/engines/tfjs/loss.ts';
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
