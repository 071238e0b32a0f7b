import type { Scalar, Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { checkNeuronPass } from '../checks.ts';
import type { NeuronPass, NeuronPassResult } from '../engine.ts';
import type { LayerOperations, NeuronInput } from './layer-operations.ts';
import { leakOf } from './leak.ts';
import { readCopy } from './transfer.ts';

/**
 * Runs an isolated layer of neurons on the current backend: forward over all steps, and backward from `loss = Σ spikes · coefficients`.
 * Neurons of a layer are independent, so they are laid out in a row here: [T·N, F], whatever their shape.
 *
 * @throws {ShapeError} if a length does not fit the shape
 */
export async function runNeurons(operations: LayerOperations, pass: NeuronPass): Promise<NeuronPassResult> {
  checkNeuronPass(pass);
  const { neuron, shape } = pass;
  const logits = neuron.kind === 'plif' ? pass.logits : undefined;
  const [steps = 0, samples = 0] = shape;
  const rows = steps * samples;
  const matrix = (values: Float32Array): Tensor => tf.tensor(values.slice(), [rows, values.length / rows]);
  const input = ([current, alpha, logits]: readonly Tensor[]): NeuronInput => ({
    current: current as Tensor,
    leak: leakOf(neuron, logits),
    alpha: alpha as Scalar,
    steps,
    neuron,
  });

  const outputs = tf.tidy(() => {
    const inputs = [
      matrix(pass.current),
      tf.scalar(neuron.surrogate.alpha),
      ...(logits === undefined
        ? []
        : [tf.tensor(logits.slice(), logits.length === 1 ? [] : [1, logits.length])]),
    ];
    const fire = tf.valueAndGrads((...given: Tensor[]) => operations.fire(input(given)).spikes);
    const { value: spikes, grads } = fire(inputs, matrix(pass.coefficients));
    const [ofCurrent, ofAlpha, ...ofLogits] = grads as [Tensor, Tensor, ...Tensor[]];
    return { spikes, potentials: operations.potentials(input(inputs)), ofCurrent, ofAlpha, ofLogits };
  });
  const result = {
    spikes: await readCopy(outputs.spikes),
    potentials: await readCopy(outputs.potentials),
    gradients: {
      current: await readCopy(outputs.ofCurrent),
      alpha: (await readCopy(outputs.ofAlpha))[0] as number,
      logits: outputs.ofLogits[0] === undefined ? undefined : await readCopy(outputs.ofLogits[0]),
    },
  };
  tf.dispose(outputs);
  return result;
}
