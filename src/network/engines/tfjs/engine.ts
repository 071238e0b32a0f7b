import '@tensorflow/tfjs-backend-cpu';
import type { Scalar, Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import type { Engine, NeuronPass, NeuronPassResult } from '../engine.ts';
import { type Adam, adam as pytorchAdam } from './loss.ts';
import { leakOf } from './network.ts';
import { fire, type NeuronInput, potentials } from './neuron.ts';
import { readCopy, TfjsSession } from './session.ts';

/** The engine on tfjs' plain CPU backend: short and slow, the reference. @param adam tests replace it */
export function createCpuEngine(reason: string, adam: Adam = pytorchAdam): Engine {
  // Otherwise tfjs prints an advertisement for its native packages.
  tf.enableProdMode();
  return createEngine('cpu', 'cpu', reason, adam);
}

/** The engine on the backend that @tensorflow/tfjs-node-gpu registers; `probeCuda` must have found it usable. */
export function createCudaEngine(reason: string): Engine {
  return createEngine('cuda', 'tensorflow', reason, pytorchAdam);
}

function createEngine(backend: string, tfjsBackend: string, reason: string, adam: Adam): Engine {
  return {
    description: { name: 'tfjs', backend, version: tf.version_core, reason },
    open: async (spec, state, optimiser) => {
      await tf.setBackend(tfjsBackend);
      return new TfjsSession(tfjsBackend, spec, adam, state, optimiser);
    },
    runNeurons: async (pass) => {
      await tf.setBackend(tfjsBackend);
      return runNeurons(pass);
    },
  };
}

/**
 * Runs an isolated layer of neurons on the current backend: forward over all steps, and backward from `loss = Σ spikes · coefficients`.
 * Neurons of a layer are independent, so here they are laid out in a row, [T·N, F].
 */
async function runNeurons(pass: NeuronPass): Promise<NeuronPassResult> {
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
    const run = tf.valueAndGrads((...given: Tensor[]) => fire(input(given)));
    const { value: spikes, grads } = run(inputs, matrix(pass.coefficients));
    const [ofCurrent, ofAlpha, ...ofLogits] = grads as [Tensor, Tensor, ...Tensor[]];
    return { spikes, potentials: potentials(input(inputs)), ofCurrent, ofAlpha, ofLogits };
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
