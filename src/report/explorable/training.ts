import type { WasmInstance, WasmNetwork } from 'plif-native/wasm';
import type { State } from '../../formats/tensor.ts';
import { drawDropoutMasks } from '../../network/dropout-masks.ts';
import type { ForwardNetwork } from '../../network/forward.ts';
import { tauOfLogit } from '../../network/neurons.ts';
import { type NetworkSpec, spikingLayers } from '../../network/spec.ts';
import { mixSeed, TorchRandom } from '../../network/torch-random.ts';
import type { EmbeddedFrames, EmbeddedModel, TrainingSetting } from './payload.ts';

/** Any number; with it, the same clicks give the same network. */
const SEED = 1;

export interface PageTrainingTask {
  readonly steps: number;
  /** Trained in the page before, so that going on draws other batches. */
  readonly stepsBefore: number;
  readonly settings: TrainingSetting & { readonly lambda: EmbeddedModel['regulariseTau'] };
  readonly training: readonly LabelledFrames[];
  readonly heldOut: readonly LabelledFrames[];
  /** T of all clips. */
  readonly clipSteps: number;
}

export interface LabelledFrames {
  readonly frames: EmbeddedFrames;
  readonly label: number;
}

export interface PageTrainingProgress {
  /** Optimiser steps so far; 0 before the first. */
  readonly step: number;
  /** Of the last batch; null before the first. */
  readonly loss: number | null;
  /** Held-out clips that are right. */
  readonly correct: number;
  /** Mean τ of each spiking layer, in steps. */
  readonly tau: readonly number[];
  readonly state: State;
}

/**
 * Trains a network step by step with the WebAssembly engine: each `next()` computes one step. Adam starts without moments. The first result is
 * that of the untouched network.
 *
 * @throws an error with code `PLIF_OUT_OF_MEMORY`
 */
export function* trainSteps(
  instance: WasmInstance,
  { spec, state }: Pick<ForwardNetwork, 'spec' | 'state'>,
  task: PageTrainingTask,
): Generator<PageTrainingProgress, void> {
  const { layers, input, classes } = spec;
  const { settings, clipSteps, stepsBefore } = task;
  const { learningRate, tauRate, lambda, regularise, loss: of } = settings;
  const lambdas = Float64Array.from(spikingLayers(spec), (_, i) =>
    typeof lambda === 'number' ? lambda : lambda[i]!,
  );
  const network = instance.open({ layers, input, classes, winogradTile: 2 });
  try {
    for (const [name, { dtype, data }] of state) if (dtype === 'F32') network.setTensor(name, 'value', data);
    const order = drawOrder(task);
    for (let step = 0; step <= task.steps; step++) {
      let loss: number | null = null;
      if (step > 0) {
        const clips = order.next().value;
        const labels = Int32Array.from(clips, ({ label }) => label);
        const masks = drawDropoutMasks(spec, clips.length, { seed: SEED, epoch: stepsBefore, batch: step });
        const options = { learningRate, tauRate, lambdas, regularise, loss: of, step, keepGradients: false };
        ({ loss } = network.trainStep(joinFrames(clips), clips.length, clipSteps, labels, masks, options));
      }
      const correct = countCorrect(network, spec, task);
      yield { step, loss, correct, tau: meanTaus(network, spec), state: readState(network, state) };
    }
  } finally {
    network.dispose();
  }
}

/** Batches without end: the clips in a new order each time, of which a last partial batch is dropped, as in the run. */
function* drawOrder({
  training,
  settings,
  stepsBefore,
}: PageTrainingTask): Generator<LabelledFrames[], never> {
  const size = Math.min(settings.batchSize, training.length);
  const random = new TorchRandom(mixSeed(SEED, stepsBefore));
  for (;;) {
    const order = Array.from(random.permutation(training.length), (place) => training[place]!);
    for (let at = 0; at + size <= order.length; at += size) yield order.slice(at, at + size);
  }
}

/** The held-out clips whose class gets the most votes; of equals, the first class counts, as in the evaluation. */
function countCorrect(
  network: WasmNetwork,
  { layers }: NetworkSpec,
  { heldOut, clipSteps }: PageTrainingTask,
): number {
  const vote = layers.at(-1);
  const votes = vote?.kind === 'vote' ? vote.group : 1;
  return heldOut.filter(({ frames, label }) => {
    const { rates } = network.evaluate(frames, 1, clipSteps);
    // Whole votes, which no rounding decides.
    const counts = rates.map((rate) => Math.round(rate * clipSteps * votes));
    return counts.indexOf(Math.max(...counts)) === label;
  }).length;
}

/** Counts of any type become floats, in which they are exact. */
function joinFrames(clips: readonly LabelledFrames[]): Float32Array {
  const size = clips[0]?.frames.length ?? 0;
  const joined = new Float32Array(clips.length * size);
  for (const [clip, { frames }] of clips.entries()) joined.set(frames, clip * size);
  return joined;
}

/** Mean τ of each spiking layer, in steps. */
function meanTaus(network: WasmNetwork, spec: NetworkSpec): number[] {
  return spikingLayers(spec).map(({ name, neuron }) => {
    if (neuron.kind === 'lif') return neuron.tau.mean;
    const logits = network.getTensor(`${name}.w`, 'value');
    return logits.reduce((sum, logit) => sum + tauOfLogit(logit), 0) / logits.length;
  });
}

/** Batch norm's counters stay as they were: no result depends on them. */
function readState(network: WasmNetwork, before: State): State {
  const after = new Map(before);
  for (const [name, tensor] of before)
    if (tensor.dtype === 'F32') after.set(name, { ...tensor, data: network.getTensor(name, 'value') });
  return after;
}
