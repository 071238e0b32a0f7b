import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { createCpuEngine } from '../../../src/engines/tfjs/engine.ts';
import { tauVariancePenalty } from '../../../src/engines/tfjs/loss.ts';
import { ShapeError } from '../../../src/snn/tensor.ts';
import '../../support/all-close.ts';

beforeAll(() => {
  createCpuEngine('test');
  tf.setBackend('cpu');
});

/** λ · Var(w) or λ · Var(τ), as a number. */
function penalty(logits: readonly number[], lambda: number, of: 'w' | 'tau'): number {
  const values = logits.map((w) => (of === 'tau' ? 1 + Math.exp(-w) : w));
  const mean = values.reduce((sum, value) => sum + value) / values.length;
  return (lambda * values.reduce((sum, value) => sum + (value - mean) ** 2, 0)) / (values.length - 1);
}

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

  it.each(['w', 'tau'] as const)('of %s has the gradient of finite differences', (of) => {
    const logits = [0.3, -1.2, 0.9, 0, -0.4];
    const { value, gradient } = tauVariancePenalty(tf.tensor1d(logits), 0.7, of);
    expect(value.dataSync()).toBeAllclose([penalty(logits, 0.7, of)]);
    const step = 1e-5;
    const numeric = logits.map((_, i) => {
      const shifted = (by: number): number => penalty(logits.with(i, logits[i]! + by), 0.7, of);
      return (shifted(step) - shifted(-step)) / (2 * step);
    });
    expect(gradient.dataSync()).toBeAllclose(numeric);
  });
});
