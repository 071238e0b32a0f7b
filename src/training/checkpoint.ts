import type { State } from '../formats/tensor.ts';
import type { OptimiserState } from '../network/engines/engine.ts';
import type { TorchRandomState } from '../network/torch-random.ts';
import type { EpochMetrics, FirstBatch, LoggedBatch } from '../results/metrics.ts';

/** Sums over an epoch's batches so far, and its batches that are kept one by one. */
export interface EpochSums {
  readonly loss: number;
  readonly correct: number;
  readonly spikeRates: readonly number[];
  readonly logged: readonly LoggedBatch[];
  readonly first: readonly FirstBatch[];
}

/** The best epoch so far, according to the model selection. */
export interface BestEpoch {
  readonly epoch: number;
  /** Null if no clips are held back. */
  readonly validationAccuracy: number | null;
  readonly testAccuracy: number | null;
  readonly state: State;
}

/** Everything that a training needs to continue as if it had never stopped. */
export interface Checkpoint {
  /** Identifies the training: a checkpoint with another key is ignored. */
  readonly key: string;
  /** The current epoch, and how many of its batches are done. */
  readonly epoch: number;
  readonly batch: number;
  readonly sums: EpochSums;
  /** w of each spiking layer before this epoch. */
  readonly logits: State;
  /** The stream of sample orders before this epoch's order was drawn. */
  readonly random: TorchRandomState;
  readonly parameters: State;
  readonly optimiser: OptimiserState | undefined;
  readonly rows: readonly EpochMetrics[];
  readonly best: BestEpoch | undefined;
}

/** Where checkpoints are kept. */
export interface Checkpoints {
  /** The newest usable checkpoint of the training with this key, if any. */
  load(key: string): Promise<Checkpoint | undefined>;
  save(checkpoint: Checkpoint): Promise<void>;
}
