import { sha256Of } from '../base/sha256.ts';
import { formatPercent } from '../base/text.ts';
import type { State } from '../formats/tensor.ts';
import type { Engine } from '../network/engines/engine.ts';
import { type NetworkSpec, spikingLayers } from '../network/spec.ts';
import type { TorchRandomState } from '../network/torch-random.ts';
import type { EpochMetrics, LossAndAccuracy } from '../results/metrics.ts';
import { COMPAT_DEFAULTS, type Compat } from '../results/thesis/compat.ts';
import type { BestEpoch, Checkpoint, Checkpoints, EpochSums } from './checkpoint.ts';
import type { LabelledClips } from './clip-source.ts';
import type { TrainingSettings } from './resolve-model.ts';
import { copyLogits } from './time-constants.ts';
import type { ClipSplit } from './training-clips.ts';

/** The switches that change the loop itself; the others change its inputs. */
type LoopCompat = Pick<Compat, 'regularise' | 'validation' | 'selection' | 'loss' | 'ties'>;

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
  /** Of `test`. */
  readonly testRows: Int32Array;
  readonly split: ClipSplit;
  /** Random numbers that the original takes from the stream before it builds the network; default 0. */
  readonly drawsBefore?: number;
  /** Where to save what the next run resumes from. */
  readonly checkpoints?: Checkpoints;
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
export function trainingKey(task: TrainingTask): Promise<string> {
  const { engine, spec, seed, settings, compat = COMPAT_DEFAULTS, split, drawsBefore = 0, testRows } = task;
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
    test: testRows.length,
    train: [...split.train],
    validation: [...split.validation],
  };
  return sha256Of(JSON.stringify(parts));
}

/** How far a training is. It matches the engine's state before every batch, so that both can be saved there. */
export type Position = {
  -readonly [K in 'epoch' | 'batch' | 'sums' | 'logits' | 'random' | 'rows' | 'best']: Checkpoint[K];
};

/** @param random the stream of sample orders, after the initial weights were drawn from it */
export function startPosition(spec: NetworkSpec, initial: State, random: TorchRandomState): Position {
  const logits = copyLogits(spec, initial);
  return { epoch: 0, batch: 0, sums: noSums(spec), logits, random, rows: [], best: undefined };
}

/** Sums before the first batch of an epoch. */
export function noSums(spec: NetworkSpec): EpochSums {
  return { loss: 0, correct: 0, spikeRates: spikingLayers(spec).map(() => 0), logged: [], first: [] };
}

/** Whether the test clips are run after this epoch: every `testEvery` epochs, and after the last one. */
export function isTested({ epochs, testEvery }: TrainingSettings, epoch: number): boolean {
  return (epoch + 1) % testEvery === 0 || epoch === epochs - 1;
}

/** The batches in the first `epochs` epochs. A last partial batch is dropped in training, but not of the test clips. */
function countBatches({ settings, split, testRows, compat }: TrainingTask, epochs: number): number {
  const round = compat?.validation === 'shuffled-drop-last' ? Math.floor : Math.ceil;
  const batches = (clips: number): number => clips / settings.batchSize;
  const always = Math.floor(batches(split.train.length)) + round(batches(split.validation.length));
  const tested = Array.from({ length: epochs }, (_, epoch) => epoch).filter((one) => isTested(settings, one));
  return epochs * always + tested.length * Math.ceil(batches(testRows.length));
}

/** @param ahead the number of batches of the current epoch that are done */
export function reportProgress(task: TrainingTask, position: Position, ahead: number): void {
  task.progress?.({
    done: countBatches(task, position.epoch) + ahead,
    total: countBatches(task, task.settings.epochs),
    unit: 'batches',
    note: describeProgress(task.settings, position),
  });
}

/** A short description of a running training, for people. */
function describeProgress({ epochs }: TrainingSettings, position: Position): string {
  const last = position.rows.at(-1);
  const loss = position.batch > 0 ? position.sums.loss / position.batch : last?.train.loss;
  const parts = [`epoch ${Math.min(position.epoch + 1, epochs)}/${epochs}`];
  if (loss !== undefined) parts.push(`loss ${loss.toFixed(3)}`);
  const [name, measured] = last?.validation ? ['val', last.validation] : ['test', last?.test];
  if (measured) parts.push(`${name} ${Math.round(100 * measured.accuracy)} %`);
  return parts.join(' · ');
}

/** An epoch's log line: `epoch 3/12 · train loss 0.0621, 61.2 % · validation loss 0.0704, 58.3 % · not tested`. */
export function describeEpoch({ epochs }: TrainingSettings, row: EpochMetrics): string {
  const figures = ({ loss, accuracy }: LossAndAccuracy): string =>
    `loss ${loss.toFixed(4)}, ${formatPercent(accuracy)}`;
  return [
    `epoch ${row.epoch + 1}/${epochs}`,
    `train ${figures(row.train)}`,
    row.validation === null ? 'no validation' : `validation ${figures(row.validation)}`,
    row.test === null ? 'not tested' : `test ${figures(row.test)}`,
  ].join(' · ');
}
