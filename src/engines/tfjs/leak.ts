import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import type { NeuronSpec } from '../../snn/spec.ts';
import { ShapeError } from '../../snn/tensor.ts';
import { sigmoid } from './differentiable.ts';

/**
 * A neuron's leak 1/τ: `sigmoid(w)` if τ is learned (PLIF), a constant if it is fixed (LIF).
 *
 * @param logits w, [] or [1, ...neurons]; PLIF only
 * @throws {ShapeError} if a PLIF neuron has no w
 */
export function leakOf({ kind, tau }: NeuronSpec, logits: Tensor | undefined): Tensor {
  if (kind === 'lif') return tf.scalar(1 / tau.mean);
  if (logits === undefined) throw new ShapeError('neuron: a learned τ needs its w, got none');
  return sigmoid(logits);
}
