import type { EpochMetrics } from '../results/tensorboard.ts';
import { type NetworkSpec, spikingLayers } from '../snn/spec.ts';
import type { State } from '../snn/tensor.ts';
import type { TorchRandomState } from '../snn/torch-random.ts';
import type { BestEpoch, Checkpoint, EpochSums } from './checkpoint.ts';
import { copyLogits } from './time-constants.ts';

/** The progress of a training. It matches the engine's state before every batch, so that both can be saved there. */
export interface Position {
  epoch: number;
  /** The number of this epoch's training batches that are done. */
  batch: number;
  sums: EpochSums;
  /** w of each spiking layer before this epoch. */
  logits: State;
  /** The stream of sample orders before this epoch's orders were drawn. */
  random: TorchRandomState;
  rows: EpochMetrics[];
  best: BestEpoch | undefined;
}

/** @param random the stream of sample orders, after the initial weights were drawn from it */
export function startPosition(spec: NetworkSpec, initial: State, random: TorchRandomState): Position {
  const logits = copyLogits(spec, initial);
  return { epoch: 0, batch: 0, sums: noSums(spec), logits, random, rows: [], best: undefined };
}

/** The position at which a checkpoint was saved. */
export function restorePosition(saved: Checkpoint): Position {
  const { epoch, batch, sums, logits, random, rows, best } = saved;
  return { epoch, batch, sums, logits, random, rows: [...rows], best };
}

/** Sums before the first batch of an epoch. */
export function noSums(spec: NetworkSpec): EpochSums {
  return { loss: 0, correct: 0, spikeRates: spikingLayers(spec).map(() => 0), logged: [], first: [] };
}
