import * as v from 'valibot';
import { count, number, numberOrNumbers, numbers, type Value } from '../../base/files/shape.ts';
import { countElements, type State } from '../../formats/tensor.ts';
import type { EngineSession, Forward, Hyperparameters, TrainingBatch } from '../../network/engines/engine.ts';
import { architectures, type NetworkConfig } from '../../network/network-config.ts';
import { buildNetwork } from '../../network/networks.ts';
import { dropoutLayers, type NetworkSpec, type NeuronSpec, stateEntries } from '../../network/spec.ts';
import { cosineLearningRate } from '../../training/schedule.ts';
import { type Comparison, compare, pairStates, toValues } from './compare.ts';
import { defineKind, type FloatTensor, type GivenCase, remark } from './given-case.ts';
import { AdamAllowance, NetworkSums, type Summed } from './tolerances.ts';

/** The keys in index.json for a network's size. */
export const sizeShape = v.object({
  architecture: v.optional(v.picklist(architectures), 'event-frames'),
  cin: count,
  hw: count,
  ch: count,
  layers: v.exactOptional(count),
  hidden: v.exactOptional(count),
  recurrent: v.exactOptional(v.boolean()),
  dropout: v.exactOptional(number),
  classes: count,
  T: count,
  /** As T; only for still images. */
  steps: remark,
});

/** The potential of a hard reset; null for a soft one. */
export const resetPotential = v.nullable(number);

export const surrogateKind = v.picklist(['atan', 'sigmoid', 'triangle']);

/**
 * The keys of a whole network. The defaults are those of the thesis: PLIF neurons, τ = 2 (initially, or fixed for LIF), a hard and detached
 * reset to 0, a threshold of 1, arctan with a fixed slope of 2.
 */
export const networkShape = v.object({
  ...sizeShape.entries,
  plif: v.optional(v.boolean(), true),
  per_neuron: v.boolean(),
  per_channel: v.optional(v.boolean(), false),
  tau: v.optional(number, 2),
  detach: v.optional(v.boolean(), true),
  v_reset: v.optional(resetPotential, 0),
  v_threshold: v.optional(number, 1),
  surrogate: v.optional(surrogateKind, 'atan'),
  alpha: v.optional(number, 2),
  learn_alpha: v.optional(v.boolean(), false),
  max_pool: v.boolean(),
});

/** A network's configuration, except for its neurons and pooling. */
export type NetworkSize = Omit<NetworkConfig, 'neuron' | 'tau' | 'reset' | 'surrogate' | 'pooling'>;

/** The number of neurons that vote for a class in all of the original's networks. */
export const votes = 10;

/**
 * Builds the network that a description means.
 *
 * @param hidden the width of the hidden linear layer if the description has none
 * @throws {ReproError} or {ShapeError} if a number is out of range
 */
export function buildDescribed(
  description: Value<typeof networkShape>,
  hidden: number | undefined,
): NetworkSpec {
  const { plif, per_neuron, per_channel, tau, v_reset, detach, v_threshold } = description;
  const { surrogate, alpha, learn_alpha, max_pool } = description;
  return buildNetwork({
    ...networkSizeOf(description, hidden),
    neuron: plif ? 'plif' : 'lif',
    tau: { per: per_channel ? 'channel' : per_neuron ? 'neuron' : 'layer', mean: tau, std: 0 },
    threshold: v_threshold,
    reset: resetOf(v_reset, detach),
    surrogate: { kind: surrogate, alpha, learnable: learn_alpha },
    pooling: max_pool ? 'max' : 'average',
  });
}

export function resetOf(potential: number | null, detach: boolean): NeuronSpec['reset'] {
  return potential === null ? { kind: 'soft', detach } : { kind: 'hard', potential, detach };
}

/** @param hidden the width of the hidden linear layer if the description has none */
export function networkSizeOf(
  { architecture, cin, hw, ch, layers, classes, T, ...description }: Value<typeof sizeShape>,
  hidden?: number,
): NetworkSize {
  const width = description.hidden ?? hidden;
  const { dropout, recurrent } = description;
  return {
    architecture,
    input: [cin, hw, hw],
    classes,
    channels: ch,
    ...(layers === undefined ? {} : { layers }),
    // Event frames have their own T.
    ...(architecture === 'event-frames' ? {} : { steps: T }),
    ...(width === undefined ? {} : { hidden: width }),
    ...(dropout === undefined ? {} : { dropout }),
    ...(recurrent === undefined ? {} : { recurrent }),
    votes,
  };
}

/** What is the same for all steps of a case. */
interface Training {
  readonly spec: NetworkSpec;
  readonly sums: NetworkSums;
  /** [steps, N, T, P, H, W], or [steps, N, 1, C, H, W] for still images. */
  readonly x: FloatTensor;
  /** [steps, N], one label per sample. */
  readonly labels: readonly number[];
  readonly losses: readonly number[];
  /** The first, and the period of its schedule in steps. */
  readonly learningRate: number;
  readonly period: number;
  readonly hyperparameters: Omit<Hyperparameters, 'learningRate'>;
}

/** A whole network over some optimiser steps with given dropout masks, then in evaluation mode. */
export const networkKind = defineKind(
  {
    ...networkShape.entries,
    losses: numbers,
    batch: count,
    lr: number,
    lr_T_max: v.pipe(number, v.minValue(1, 'a number from 1')),
    /** What multiplies the learning rate for w. */
    tau_rate: v.optional(number, 1),
    /** λ, or a list with one for each spiking layer. */
    reg_lambda: numberOrNumbers,
    regularise: v.optional(v.picklist(['w', 'tau']), 'w'),
    loss: v.optional(v.picklist(['rate', 'step']), 'rate'),
    layout: remark,
    seed: remark,
    margin: remark,
  },
  async function* (given, description, engine) {
    // The original's descriptions leave out the width of the hidden linear layer.
    const hidden = given.has('init/fc.2.weight') ? given.floats('init/fc.2.weight').shape[0] : undefined;
    const spec = buildDescribed(description, hidden);
    const initial = readInitial(given, spec);
    const { losses, batch, tau_rate: tauRate, regularise, loss } = description;
    const still = description.architecture !== 'event-frames';
    const x = given.floats('x', [losses.length, batch, still ? 1 : description.T, ...spec.input]);
    const training: Training = {
      spec,
      sums: new NetworkSums(spec, initial, batch, description.T),
      x,
      labels: Array.from(given.whole('y', [losses.length, batch]).data, Number),
      losses,
      learningRate: description.lr,
      period: description.lr_T_max,
      hyperparameters: { tauRate, regulariseTau: description.reg_lambda, regularise, loss },
    };
    const session = await engine.open(spec, initial);
    try {
      yield* compareSteps(given, session, training);
      // The first batch again, with the trained parameters.
      const forward = await session.evaluate(batchOf(given, training, 0).frames);
      yield compareRates(given, 'rates, evaluation', 'eval/rate', forward, spec);
      yield* compareOutputs(given, 'outputs, evaluation', 'eval/outputs', forward, spec);
    } finally {
      session.dispose();
    }
  },
);

async function* compareSteps(
  given: GivenCase,
  session: EngineSession,
  training: Training,
): AsyncGenerator<Comparison> {
  const losses: number[] = [];
  const { spec, sums } = training;
  const buffers = new Set(stateEntries(spec).flatMap(({ name, role }) => (role === 'buffer' ? [name] : [])));
  const allowance = new AdamAllowance();
  for (let step = 0; step < training.losses.length; step++) {
    const learningRate = cosineLearningRate(training.learningRate, training.period, step);
    const { loss, gradients, ...forward } = await session.trainStep(
      batchOf(given, training, step),
      { learningRate, ...training.hyperparameters },
      { keepGradients: true },
    );
    losses.push(loss);
    yield compareRates(given, `rates, step ${step}`, `step${step}/rate`, forward, spec);
    yield* compareOutputs(given, `outputs, step ${step}`, `step${step}/outputs`, forward, spec);
    const computed = gradients ?? new Map();
    const expected = given.below(`step${step}/grad/`);
    const known = expected.size > 0 ? expected : computed;
    const gradientOf = (name: string) => sums.ofGradient(name, known);
    if (step === 0 || expected.size > 0) {
      const pairs = pairStates(`step${step}/grad/`, expected, computed, gradientOf);
      yield compare(`gradients, step ${step}`, pairs);
    }
    const state = given.below(`step${step}/state/`);
    const found = await session.state();
    const pairsOf = (learned: boolean, sumsOf: (name: string) => Summed) => {
      const only = (all: State) => new Map([...all].filter(([name]) => buffers.has(name) !== learned));
      return pairStates(`step${step}/state/`, only(state), only(found), sumsOf);
    };
    // From the parameters before this step.
    const statistics = pairsOf(false, (name) => sums.ofStatistic(name, state, allowance));
    const { tauRate = 1 } = training.hyperparameters;
    const rateOf = (name: string) => learningRate * (name.endsWith('.w') ? tauRate : 1);
    allowance.addStep(rateOf, known, gradientOf);
    const parameters = pairsOf(true, (name) => ({ terms: step + 1, allowance: allowance.of(name) }));
    yield compare(`parameters, step ${step}`, parameters);
    if (statistics.length > 0) yield compare(`statistics, step ${step}`, statistics);
  }
  yield compare('losses', [
    { name: 'losses', expected: toValues(training.losses), found: toValues(losses), terms: sums.loss },
  ]);
}

/** A rate is a count, but PyTorch adds up the means of all steps. */
function compareRates(
  given: GivenCase,
  what: string,
  name: string,
  { rates, outputs }: Forward,
  { classes }: NetworkSpec,
): Comparison {
  const found = { shape: [rates.length / classes, classes], data: rates };
  return compare(what, [{ name, expected: given.find(name), found, terms: outputs.length / rates.length }]);
}

/** Only where the folder has them. Each is a mean of a few votes. */
function* compareOutputs(
  given: GivenCase,
  what: string,
  name: string,
  { rates, outputs }: Forward,
  { classes }: NetworkSpec,
): Generator<Comparison> {
  if (!given.has(name)) return;
  const shape = [rates.length / classes, outputs.length / rates.length, classes];
  yield compare(what, [{ name, expected: given.find(name), found: { shape, data: outputs }, terms: 1 }]);
}

function batchOf(given: GivenCase, { spec, x, labels }: Training, step: number): TrainingBatch {
  const [, samples = 0, steps = 0, channels = 0, height = 0, width = 0] = x.shape;
  const shape = [samples, steps, channels, height, width] as const;
  const size = countElements(shape);
  return {
    frames: { shape, data: x.data.slice(step * size, (step + 1) * size) },
    labels: Int32Array.from(labels.slice(step * samples, (step + 1) * samples)),
    dropoutMasks: dropoutLayers(spec).map(
      ({ features }, i) => given.floats(`step${step}/mask${i}`, [samples, features]).data,
    ),
  };
}

/** The engine rejects a state that lacks tensors; others in the folder count as unused. */
function readInitial(given: GivenCase, spec: NetworkSpec): State {
  const tensors = stateEntries(spec).map(({ name }) => [name, given.find(`init/${name}`)] as const);
  return new Map(tensors.flatMap(([name, tensor]) => (tensor === undefined ? [] : [[name, tensor]])));
}
