import { createHash } from 'node:crypto';
import type { Engine } from '../engines/engine.ts';
import type { EpochMetrics } from '../results/tensorboard.ts';
import type { NetworkSpec } from '../snn/spec.ts';
import type { State } from '../snn/tensor.ts';
import { COMPAT_DEFAULTS, type Compat } from '../thesis/compat.ts';
import type { BestEpoch, CheckpointStore } from './checkpoint.ts';
import type { LabelledClips } from './clip-source.ts';
import type { TrainingSettings } from './model-file.ts';
import type { ClipSplit } from './training-clips.ts';

/** The switches that change the loop itself; the others change its inputs. */
export type LoopCompat = Pick<Compat, 'regularise' | 'validation' | 'selection' | 'loss' | 'ties'>;

/** The progress of a training. Test and validation batches count as much as training batches. */
export interface TrainingProgress {
  readonly done: number;
  readonly total: number;
  readonly unit: 'batches';
  /** `epoch 3/8 · loss 0.071 · val 52 %`; without validation, of the test clips */
  readonly note: string;
}

/** Everything that defines a training. */
export interface TrainingTask {
  readonly engine: Engine;
  readonly spec: NetworkSpec;
  readonly seed: number;
  readonly settings: TrainingSettings;
  /** Default: `COMPAT_DEFAULTS`. */
  readonly compat?: LoopCompat;
  readonly train: LabelledClips;
  readonly test: LabelledClips;
  readonly split: ClipSplit;
  /** Random numbers that the original takes from the stream before it builds the network; default 0. */
  readonly drawsBefore?: number;
  /** Where to save what the next run resumes from. */
  readonly checkpoints?: Pick<CheckpointStore, 'load' | 'save'>;
  /** How often to save within an epoch; default 5. */
  readonly saveEveryMinutes?: number;
  /** Milliseconds since any fixed time, by default the process's clock. It only decides when to save. */
  readonly clockMs?: () => number;
  readonly signal?: AbortSignal;
  readonly progress?: (progress: TrainingProgress) => void;
  readonly note?: (text: string) => void;
  /** Called with a line for each completed epoch; on resuming, first for the earlier ones. */
  readonly log?: (line: string) => void;
  /** Called after each epoch, once it is saved. */
  readonly onEpoch?: (outcome: TrainingOutcome) => Promise<void>;
}

/** The result of a training, or of its epochs so far. */
export interface TrainingOutcome {
  readonly rows: readonly EpochMetrics[];
  readonly best: BestEpoch;
  /** The state after the last epoch. */
  readonly last: State;
}

/**
 * Identifies a training by everything that determines its numbers, except the frames themselves and the number of epochs: with more of them,
 * `repro train-val` continues a training. A checkpoint with another key is ignored. The engine is part of it, since one fingerprint may stand
 * for two: `auto` passes over WebAssembly for a network that needs more memory than it addresses.
 */
export function trainingKey({
  engine,
  spec,
  seed,
  settings,
  compat = COMPAT_DEFAULTS,
  split,
  drawsBefore = 0,
  test,
}: TrainingTask): string {
  const { regularise, validation, selection, loss, ties } = compat;
  const { epochs: _, ...lasting } = settings;
  const { name, backend, version } = engine.description;
  const parts = {
    engine: { name, backend, version },
    spec,
    seed,
    settings: lasting,
    compat: { regularise, validation, selection, loss, ties },
    drawsBefore,
    test: test.labels.length,
    train: [...split.train],
    validation: [...split.validation],
  };
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}
