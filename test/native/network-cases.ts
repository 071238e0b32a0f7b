import { expect } from 'vitest';
import type { State } from '../../src/formats/tensor.ts';
import type {
  Engine,
  Forward,
  Hyperparameters,
  StepResult,
  TrainingBatch,
} from '../../src/network/engines/engine.ts';
import { createCpuEngine } from '../../src/network/engines/tfjs/engine.ts';
import { buildNetwork } from '../../src/network/networks.ts';
import { type NetworkSpec, type NeuronSpec, spikingLayers } from '../../src/network/spec.ts';
import '../support/all-close.ts';
import { cifar10Network, mnistNetwork } from '../support/still-networks.ts';
import { thesisNetwork } from '../support/thesis-network.ts';
import { type BatchOptions, Layers, livelyState, plif, randomBatch } from './support.ts';

const neurons: Readonly<Record<string, NeuronSpec>> = {
  'τ per neuron': { ...plif, tau: { per: 'neuron', mean: 2, std: 0.3 } },
  'τ per channel': { ...plif, tau: { per: 'channel', mean: 2, std: 0.3 } },
  'τ fixed': { ...plif, kind: 'lif', tau: { per: 'layer', mean: 3, std: 0 } },
  'reset to another potential, attached': {
    ...plif,
    reset: { kind: 'hard', potential: -0.3, detach: false },
  },
  'soft reset': { ...plif, reset: { kind: 'soft', detach: true } },
  'soft reset, attached, τ per neuron': {
    ...plif,
    tau: { per: 'neuron', mean: 2, std: 0.2 },
    reset: { kind: 'soft', detach: false },
  },
  'soft reset, attached, slope learned, τ per channel': {
    ...plif,
    tau: { per: 'channel', mean: 2, std: 0.2 },
    reset: { kind: 'soft', detach: false },
    surrogate: { kind: 'atan', alpha: 2, learnable: true },
  },
  'sigmoid, slope learned': { ...plif, surrogate: { kind: 'sigmoid', alpha: 3, learnable: true } },
  'triangle, slope learned': { ...plif, surrogate: { kind: 'triangle', alpha: 0.7, learnable: true } },
  'atan, slope learned, τ per neuron': {
    ...plif,
    tau: { per: 'neuron', mean: 2, std: 0.2 },
    surrogate: { kind: 'atan', alpha: 2, learnable: true },
  },
  'another threshold': { ...plif, threshold: 0.7 },
};

const perChannel: NeuronSpec = { ...plif, tau: { per: 'channel', mean: 2, std: 0.3 } };

const layers = (input: readonly [number, number, number] = [2, 9, 11]): Layers => new Layers(input);

interface Case {
  readonly spec: NetworkSpec;
  readonly batch?: BatchOptions;
}

export const networks: Readonly<Record<string, Case>> = {
  ...Object.fromEntries(
    Object.entries(neurons).map(([name, neuron]) => [
      `neurons: ${name}`,
      {
        spec: layers().block(5, neuron).block(6, neuron).linear(9, 0.5).neuron(neuron).classify(neuron),
      },
    ]),
  ),
  ...Object.fromEntries(
    Object.entries(neurons).map(([name, neuron]) => [
      `recurrent: ${name}`,
      {
        spec: layers()
          .linear(20)
          .neuron(neuron, { recurrent: true })
          .linear(70, 0.5)
          .neuron(neuron, { recurrent: true })
          .classify(neuron),
        batch: { steps: 6, samples: 5 },
      },
    ]),
  ),
  'average pooling': {
    spec: layers().fire(5).pool(2, 'average').fire(7).pool(2, 'average').classify(),
  },
  'average pooling and attached neurons': {
    spec: layers()
      .fire(5, { ...plif, reset: { kind: 'hard', potential: 0, detach: false } })
      .pool(3, 'average')
      .fire(20)
      .classify(),
  },
  'windows of 3 x 3': {
    spec: layers([2, 11, 10]).fire(5).pool(3).fire(5).pool(3).classify(),
  },
  'no pooling, convolutions that shrink': {
    spec: layers().fire(5, plif, 3, 0).fire(6, plif, 3, 0).classify(),
  },
  'kernels of other sizes': {
    spec: layers().fire(5, plif, 5, 2).fire(6, plif, 1, 0).pool().fire(4, plif, 5, 2).classify(),
  },
  'more than one block of channels': {
    spec: layers([2, 10, 10]).block(40).block(70).classify(),
  },
  'more than one block of channels, each with a τ': {
    spec: layers([2, 10, 10])
      .block(40, perChannel)
      .block(70, perChannel)
      .linear(9, 0.5)
      .neuron(perChannel)
      .classify(perChannel),
  },
  'multiples of 16 channels': {
    spec: layers([2, 12, 12]).block(16).block(32).block(48).classify(),
    batch: { steps: 6 },
  },
  'so many spikes that convolutions treat them as dense': {
    spec: layers([2, 10, 12])
      .block(20, { ...plif, threshold: 0.02 })
      .block(33, { ...plif, threshold: 0.02 })
      .classify(),
  },
  'no batch norm': { spec: layers().conv(5).neuron().pool().conv(6).neuron().pool().classify() },
  'batch norm, pooling and convolution without neurons': {
    spec: layers().conv(5).norm().pool().conv(6).conv(4).pool(2, 'average').norm().neuron().classify(),
  },
  'frames that are pooled first': {
    spec: layers().pool(2, 'average').block(5).classify(),
  },
  'neurons, then neurons': {
    spec: layers()
      .block(5)
      .neuron({ ...plif, threshold: 0.3 })
      .pool(2, 'average')
      .classify(),
  },
  'one plane': { spec: layers([1, 9, 8]).block(5).classify() },
  'three planes': { spec: layers([3, 9, 8]).block(5).classify() },
  'four planes': { spec: layers([4, 9, 8]).block(5).classify() },
  'seventeen planes': { spec: layers([17, 9, 8]).block(5).classify() },
  'no convolution': { spec: layers().linear(20, 0.3).neuron().classify() },
  'no convolution, normalised frames': {
    spec: layers([2, 1, 5]).linear(20).neuron().classify(),
    batch: { type: 'float', steps: 13 },
  },
  'one sample, one step': {
    spec: layers().block(5).classify(),
    batch: { samples: 1, steps: 1 },
  },
  'frames of 16 bits': {
    spec: layers().block(5).classify(),
    batch: { type: 'uint16' },
  },
  'frames of 32 bits': {
    spec: layers().block(5).classify(),
    batch: { type: 'uint32' },
  },
  'normalised frames': {
    spec: layers().block(5).classify(),
    batch: { type: 'float' },
  },
  'a wide frame, sparse': {
    spec: layers([2, 7, 150]).block(5).block(5).classify(),
    batch: { density: 0.02 },
  },
  'the network for MNIST': {
    spec: buildNetwork({ ...mnistNetwork, channels: 5, hidden: 20, steps: 4 }),
  },
  'the network for CIFAR10, average pooling': {
    spec: buildNetwork({ ...cifar10Network, channels: 6, hidden: 20, steps: 3, pooling: 'average' }),
    batch: { samples: 2 },
  },
  'the thesis, smaller': {
    spec: buildNetwork({
      ...thesisNetwork,
      input: [2, 34, 34],
      channels: 20,
      layers: 4,
      tau: { per: 'neuron', mean: 2, std: 0.1 },
    }),
  },
};

export function caseOf(name: string): Case {
  const found = networks[name];
  if (found === undefined) throw new Error(`there is no network "${name}"`);
  return found;
}

export const hyperparameters = {
  learningRate: 0.01,
  tauRate: 3,
  regulariseTau: 0.1,
  regularise: 'w',
} as const;

/** A λ of its own for each layer, which counts where there are several τ. */
const lambdasFor = (spec: NetworkSpec): number[] => spikingLayers(spec).map((_, layer) => 0.1 * layer);

/** What TensorFlow.js computes, once for all engines. */
const references = new Map<string, ReturnType<typeof computeReference>>();
function referenceOf(name: string, ...given: Parameters<typeof computeReference>) {
  const known = references.get(name) ?? computeReference(...given);
  references.set(name, known);
  return known;
}
async function computeReference(spec: NetworkSpec, batch: TrainingBatch, settings: Hyperparameters) {
  const session = await createCpuEngine('test').open(spec, livelyState(spec));
  const before = await session.evaluate(batch.frames);
  const step = await session.trainStep(batch, settings, { keepGradients: true });
  const [state, after] = [await session.state(), await session.evaluate(batch.frames)];
  session.dispose();
  return { before, step, state, after };
}

/** A training step is that of TensorFlow.js, as is an evaluation before and after it. */
export async function checkStep(engine: Engine, name: string): Promise<void> {
  const { spec, batch: options } = caseOf(name);
  const batch = randomBatch(spec, options);
  const settings = { ...hyperparameters, regulariseTau: lambdasFor(spec) };
  const wanted = await referenceOf(name, spec, batch, settings);
  const session = await engine.open(spec, livelyState(spec));
  try {
    compareForward(await session.evaluate(batch.frames), wanted.before);
    const result = await session.trainStep(batch, settings, { keepGradients: true });
    expect(wanted.step.spikeRates.every((rate) => rate > 0)).toBe(true);
    compareSteps(result, wanted.step);
    compareStates(await session.state(), wanted.state, /running/);
    const evaluated = await session.evaluate(batch.frames);
    // Adam's first step is ± the learning rate, even where a gradient is only rounding: single spikes may differ.
    const oneSpike = 1 / (groupOf(spec) * stepsOf(spec, batch));
    expect(evaluated.rates).toBeAllclose(wanted.after.rates, { absolute: oneSpike, relative: 1e-6 });
    expect(evaluated.spikeRates).toBeAllclose(wanted.after.spikeRates, { relative: 5e-3 });
  } finally {
    session.dispose();
  }
}

/** With by how much the loss differs from that of the rates with the variance of w. */
export const losses: Readonly<
  Record<string, readonly [settings: Partial<Hyperparameters>, difference: number]>
> = {
  // λ so large that the regulariser is most of the gradient by w.
  'the variance of τ itself': [{ regulariseTau: 10, regularise: 'tau' }, 0.1],
  'the error of each step': [{ regulariseTau: 0.1, loss: 'step' }, 0.01],
};

/** A training step with another loss is that of TensorFlow.js. */
export async function checkLoss(engine: Engine, name: string): Promise<void> {
  const { spec } = caseOf('neurons: τ per neuron');
  const batch = randomBatch(spec);
  const [given, difference] = losses[name]!;
  const settings = { learningRate: 0.01, regulariseTau: 0, ...given };
  const wanted = await referenceOf(name, spec, batch, settings);
  const session = await engine.open(spec, livelyState(spec));
  try {
    const result = await session.trainStep(batch, settings, { keepGradients: true });
    compareSteps(result, wanted.step);
    const other = await session.trainStep(batch, { ...settings, regularise: 'w', loss: 'rate' });
    expect(Math.abs(other.loss - result.loss)).toBeGreaterThan(difference);
  } finally {
    session.dispose();
  }
}

function groupOf(spec: NetworkSpec): number {
  return spec.layers.find((layer) => layer.kind === 'vote')?.group ?? 1;
}

function stepsOf(spec: NetworkSpec, { frames }: TrainingBatch): number {
  return spec.layers.find((layer) => layer.kind === 'repeat')?.steps ?? frames.shape[1];
}

export function compareSteps(result: StepResult, wanted: StepResult): void {
  expect([result.loss]).toBeAllclose([wanted.loss], { relative: 1e-6 });
  compareForward(result, wanted);
  compareStates(result.gradients as State, wanted.gradients as State, /./);
}

function compareForward(result: Forward, wanted: Forward): void {
  expect(result.rates).toBeAllclose(wanted.rates, { relative: 1e-6 });
  expect(result.spikeRates).toBeAllclose(wanted.spikeRates, { relative: 1e-6 });
  // WebGPU does not count them; test/network/engines/cost.test.ts is about the engines that do.
  if (result.operations !== undefined) expect(result.operations).toEqual(wanted.operations);
}

function compareStates(state: State, wanted: State, names: RegExp): void {
  expect([...state.keys()]).toEqual([...wanted.keys()]);
  for (const [name, { data, shape }] of wanted) {
    if (!names.test(name)) continue;
    expect(state.get(name)?.shape, name).toEqual(shape);
    const actual = Array.from(state.get(name)?.data ?? [], Number);
    // Weights before batch norm change nothing in one direction, so what is left of their gradients is partly rounding.
    expect(actual, name).toBeAllclose(Array.from(data, Number), { relative: 2e-4 });
  }
}
