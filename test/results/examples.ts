import type { EvaluationFile } from '../../src/results/evaluation-file.ts';
import type { ResultFile } from '../../src/results/result-file.ts';
import type { RunFile } from '../../src/results/run-file.ts';

/** A file with this text, as readers take it. */
export function resultFile(file: string, text: string): ResultFile {
  return { file, text, fix: 'Make it again.' };
}

/** A run.json of a tiny network with two spiking layers and an output layer. */
export function exampleRunFile(over: Partial<RunFile> = {}): RunFile {
  return {
    version: 1,
    model: { id: 'no-reg', title: 'No Reg.' },
    seed: 2020,
    dataset: 'dvs128-gesture',
    simulated: true,
    engine: { name: 'tfjs', backend: 'cpu', version: '4.22.0' },
    frames: {
      steps: 4,
      splitBy: 'number',
      downsample: 16,
      height: 8,
      width: 8,
      dtype: 'uint8',
      normalization: null,
    },
    network: {
      input: [2, 8, 8],
      classes: 3,
      channels: 4,
      layers: 1,
      neuron: 'lif',
      tau: { per: 'layer', mean: 2, std: 0 },
      reset: { kind: 'hard', detach: true },
      surrogate: { kind: 'atan', alpha: 2, learnable: false },
      pooling: 'max',
      hidden: 5,
    },
    parameters: 123,
    training: { epochs: 3, batchSize: 4, learningRate: 0.01, regulariseTau: 0 },
    compat: { selection: 'validation', regularise: 'w', loss: 'rate', ties: 'first' },
    split: { train: 20, validation: 4, test: 3 },
    best: { epoch: 1, validationAccuracy: 0.75, testAccuracy: 2 / 3 },
    maximum: { test: { epoch: 2, accuracy: 1 }, validation: { epoch: 1, accuracy: 0.75 } },
    ...over,
  };
}

/** Its evaluation: two of three test clips are right. */
export function exampleEvaluation(over: Partial<EvaluationFile> = {}): EvaluationFile {
  return {
    model: 'no-reg',
    title: 'No Reg.',
    seed: 2020,
    dataset: 'dvs128-gesture',
    simulated: true,
    classes: ['a', 'b', 'c'],
    checkpoint: { selection: 'validation', epoch: 1 },
    test: { clips: 3, correct: 2, accuracy: 2 / 3, loss: 0.05 },
    validation: { clips: 4, correct: 3, accuracy: 0.75, loss: 0.06 },
    spikeRates: { test: [0.1, 0.2, 0.3], validation: [0.1, 0.2, 0.3] },
    cost: {
      footprintBytes: 1000,
      activationSparsity: 0.9,
      denseOperations: 5000,
      effectiveMacs: 100.5,
      effectiveAcs: 250.25,
    },
    maximum: { test: { epoch: 2, accuracy: 1 }, validation: { epoch: 1, accuracy: 0.75 } },
    confusion: [
      [1, 0, 0],
      [1, 0, 0],
      [0, 0, 1],
    ],
    correctByStep: [0, 1, 2],
    ...over,
  };
}
