import type { State } from '../../formats/tensor.ts';
import { drawDropoutMasks } from '../../network/dropout-masks.ts';
import type { Engine, Frames } from '../../network/engines/engine.ts';
import type { ForwardNetwork } from '../../network/forward.ts';
import { tauOfLogit } from '../../network/neurons.ts';
import { type NetworkSpec, spikingLayers } from '../../network/spec.ts';
import { mixSeed, TorchRandom } from '../../network/torch-random.ts';
import { predictClasses, scoringOf } from '../../training/scores.ts';
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
 * Trains a network step by step. Adam starts without moments. The first progress is that of the untouched network.
 *
 * @throws {ReproError} `out-of-memory`
 */
export async function trainSteps(
  engine: Engine,
  { spec, state }: Pick<ForwardNetwork, 'spec' | 'state'>,
  task: PageTrainingTask,
  tell: (progress: PageTrainingProgress) => void,
): Promise<void> {
  const { settings, clipSteps, stepsBefore, heldOut } = task;
  const session = await engine.open(spec, state);
  const framesOf = (clips: readonly LabelledFrames[]): Frames => ({
    shape: [clips.length, clipSteps, ...spec.input],
    data: joinFrames(clips),
  });
  try {
    const order = drawOrder(task);
    for (let step = 0; step <= task.steps; step++) {
      let loss: number | null = null;
      if (step > 0) {
        const clips = order.next().value;
        const labels = Int32Array.from(clips, ({ label }) => label);
        const dropoutMasks = drawDropoutMasks(spec, clips.length, {
          ...{ seed: SEED, epoch: stepsBefore, batch: step },
        });
        const batch = { frames: framesOf(clips), labels, dropoutMasks };
        ({ loss } = await session.trainStep(batch, { ...settings, regulariseTau: settings.lambda }));
      }
      let correct = 0;
      for (const clip of heldOut) {
        const [answer] = predictClasses(await session.evaluate(framesOf([clip])), scoringOf(spec));
        if (answer === clip.label) correct += 1;
      }
      const reached = await session.state();
      tell({ step, loss, correct, tau: meanTaus(reached, spec), state: reached });
    }
  } finally {
    session.dispose();
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

/** Counts of any type become floats, in which they are exact. */
function joinFrames(clips: readonly LabelledFrames[]): Float32Array {
  const size = clips[0]?.frames.length ?? 0;
  const joined = new Float32Array(clips.length * size);
  for (const [clip, { frames }] of clips.entries()) joined.set(frames, clip * size);
  return joined;
}

/** Mean τ of each spiking layer, in steps. */
function meanTaus(state: State, spec: NetworkSpec): number[] {
  return spikingLayers(spec).map(({ name, neuron }) => {
    const logits = state.get(`${name}.w`)?.data;
    if (!(logits instanceof Float32Array)) return neuron.tau.mean;
    return logits.reduce((sum, logit) => sum + tauOfLogit(logit), 0) / logits.length;
  });
}
