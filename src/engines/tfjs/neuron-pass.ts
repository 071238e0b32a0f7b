import type { Scalar, Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { checkNeuronPass } from '../checks.ts';
import type { NeuronPass, NeuronPassResult } from '../engine.ts';
import { sigmoid } from './differentiable.ts';
import type { LayerOperations, NeuronInput } from './layer-operations.ts';
import { readCopy } from './transfer.ts';

/**
 * One layer of neurons by itself on the current backend: forward over all steps, and backward from `loss = Σ spikes · coefficients`.
 * Neurons do not see each other, so that here they stand in a row: [T·N, F], whatever their shape.
 *
 * @throws {ShapeError} if a length does not fit the shape
 */
export async function runNeurons(operations: LayerOperations, pass: NeuronPass): Promise<NeuronPassResult> {
  checkNeuronPass(pass);
  const { neuron, shape, logits } = pass;
  const [steps = 0, samples = 0] = shape;
  const rows = steps * samples;
  const matrix = (values: Float32Array): Tensor => tf.tensor(values.slice(), [rows, values.length / rows]);
  const input = ([current, logits, alpha]: readonly Tensor[]): NeuronInput => ({
    current: current as Tensor,
    leak: sigmoid(logits as Tensor),
    alpha: alpha as Scalar,
    steps,
    neuron,
  });

  const outputs = tf.tidy(() => {
    const inputs = [
      matrix(pass.current),
      tf.tensor(logits.slice(), logits.length === 1 ? [] : [1, logits.length]),
      tf.scalar(neuron.surrogate.alpha),
    ];
    const fire = tf.valueAndGrads((...given: Tensor[]) => operations.fire(input(given)).spikes);
    const { value: spikes, grads } = fire(inputs, matrix(pass.coefficients));
    const [ofCurrent, ofLogits, ofAlpha] = grads as [Tensor, Tensor, Tensor];
    return { spikes, potentials: operations.potentials(input(inputs)), ofCurrent, ofLogits, ofAlpha };
  });
  const result = {
    spikes: await readCopy(outputs.spikes),
    potentials: await readCopy(outputs.potentials),
    gradients: {
      current: await readCopy(outputs.ofCurrent),
      logits: await readCopy(outputs.ofLogits),
      alpha: (await readCopy(outputs.ofAlpha))[0] as number,
    },
  };
  tf.dispose(outputs);
  return result;
}
