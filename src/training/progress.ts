import type { LossAndAccuracy } from '../results/metrics.ts';
import type { EpochMetrics } from '../results/tensorboard.ts';
import { type NetworkSpec, spikingLayers } from '../snn/spec.ts';
import type { State } from '../snn/tensor.ts';
import type { TorchRandomState } from '../snn/torch-random.ts';
import { formatPercent } from '../text.ts';
import type { Checkpoint, EpochSums } from './checkpoint.ts';
import type { TrainingSettings } from './model-file.ts';
import type { TrainingTask } from './task.ts';
import { copyLogits } from './time-constants.ts';

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
function countBatches({ settings, split, test, compat }: TrainingTask, epochs: number): number {
  const round = compat?.validation === 'shuffled-drop-last' ? Math.floor : Math.ceil;
  const batches = (clips: number): number => clips / settings.batchSize;
  const always = Math.floor(batches(split.train.length)) + round(batches(split.validation.length));
  const tested = Array.from({ length: epochs }, (_, epoch) => epoch).filter((one) => isTested(settings, one));
  return epochs * always + tested.length * Math.ceil(batches(test.labels.length));
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
