import type { Engine } from '../engines/engine.ts';
import type { NetworkSpec } from '../snn/spec.ts';
import type { CheckpointStore } from './checkpoint-store.ts';
import type { LabelledClips } from './clip-source.ts';
import type { Compat } from './compat.ts';
import type { TrainingProgress } from './progress.ts';
import type { TrainingSettings } from './settings.ts';
import type { ClipSplit } from './split.ts';

/** What the loop itself does otherwise when asked to; the other switches of `Compat` change what it is given. */
export type LoopCompat = Pick<Compat, 'regularise' | 'validation' | 'selection'>;

/** Everything that one training is made of. */
export interface TrainingTask {
  readonly engine: Engine;
  readonly spec: NetworkSpec;
  readonly seed: number;
  readonly settings: TrainingSettings;
  /** `COMPAT_DEFAULTS` when left out. */
  readonly compat?: LoopCompat;
  readonly train: LabelledClips;
  readonly test: LabelledClips;
  readonly split: ClipSplit;
  /** Where an interruption leaves what the next run goes on with. */
  readonly checkpoints?: CheckpointStore;
  /** How often to save within an epoch; 5 when left out. */
  readonly saveEveryMinutes?: number;
  /** Milliseconds since any moment; the process's own clock when left out. It decides when to save and nothing else. */
  readonly clockMs?: () => number;
  readonly signal?: AbortSignal;
  readonly progress?: (progress: TrainingProgress) => void;
  readonly note?: (text: string) => void;
  /** Given a line for each epoch that ends; when a training goes on, first for those before. */
  readonly log?: (line: string) => void;
}
