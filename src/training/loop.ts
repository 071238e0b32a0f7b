import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Engine, EngineSession } from '../engines/engine.ts';
import { ReproError } from '../errors.ts';
import { initialState } from '../snn/initialise.ts';
import { type NetworkSpec, spikingLayers } from '../snn/spec.ts';
import type { State } from '../snn/tensor.ts';
import { TorchRandom, type TorchRandomState } from '../snn/torch-random.ts';
import type { BestEpoch, Checkpoint, EpochSums } from './checkpoint.ts';
import type { CheckpointStore } from './checkpoint-store.ts';
import type { LabelledClips } from './clip-source.ts';
import { drawDropoutMasks } from './dropout.ts';
import { evaluateClips } from './evaluation.ts';
import { type EpochMetrics, tauStatistics } from './metrics.ts';
import { drawEpochOrder } from './order.ts';
import {
  countBatches,
  describeEpoch,
  describeProgress,
  isTested,
  type TrainingProgress,
} from './progress.ts';
import { cosineLearningRate } from './schedule.ts';
import { countCorrect, predictClasses } from './scores.ts';
import type { TrainingSettings } from './settings.ts';
import type { ClipSplit } from './split.ts';

export interface TrainingTask {
  readonly engine: Engine;
  readonly spec: NetworkSpec;
  readonly seed: number;
  readonly settings: TrainingSettings;
  readonly train: LabelledClips;
  readonly test: LabelledClips;
  readonly split: ClipSplit;
  /** Where an interruption leaves what the next run goes on with. */
  readonly checkpoints?: CheckpointStore;
  readonly signal?: AbortSignal;
  readonly progress?: (progress: TrainingProgress) => void;
  readonly note?: (text: string) => void;
  /** Given a line for each epoch that ends; when a training goes on, first for those before. */
  readonly log?: (line: string) => void;
}

export interface TrainingOutcome {
  readonly rows: readonly EpochMetrics[];
  readonly best: BestEpoch;
  /** The state after the last epoch. */
  readonly last: State;
}

/** Where a training stands; always true of the session's state, so that it can be saved at any await. */
interface Position {
  epoch: number;
  batch: number;
  sums: EpochSums;
  random: TorchRandomState;
  rows: EpochMetrics[];
  best: BestEpoch | undefined;
}

/**
 * Trains a network: for each epoch all whole batches in a new order, then the test and the validation clips.
 * Interrupted at any moment and run again with the same task, it ends with the same numbers, to the last bit.
 *
 * @throws {ReproError} `training-diverged` if the loss or, after an epoch, a parameter is no finite number;
 * `training-interrupted` on abort, after saving
 */
export async function trainNetwork(task: TrainingTask): Promise<TrainingOutcome> {
  const { settings, split, checkpoints } = task;
  if (split.train.length < settings.batchSize) {
    throw new ReproError(
      'training-batch-too-large',
      `A batch takes ${settings.batchSize} clips, and ${split.train.length} are there to train on.`,
      { fix: 'Lower `train.batchSize`, or use more recordings.' },
    );
  }
  const key = trainingKey(task);
  const saved = await checkpoints?.load(key);
  if (saved !== undefined) {
    task.note?.(describeResumption(saved, settings.epochs));
    for (const row of saved.rows) task.log?.(describeEpoch(settings, row));
  }
  const random = new TorchRandom(task.seed);
  const parameters = saved?.parameters ?? initialState(task.spec, random);
  const position: Position =
    saved === undefined
      ? { epoch: 0, batch: 0, sums: noSums(task.spec), random: random.state(), rows: [], best: undefined }
      : {
          epoch: saved.epoch,
          batch: saved.batch,
          sums: saved.sums,
          random: saved.random,
          rows: [...saved.rows],
          best: saved.best,
        };
  const session = await task.engine.open(task.spec, parameters, saved?.optimiser);
  const save = async (): Promise<void> =>
    checkpoints?.save({
      ...position,
      key,
      parameters: await session.state(),
      optimiser: await session.optimiserState(),
    });
  try {
    while (position.epoch < settings.epochs) {
      await runEpoch(task, session, position);
      await save();
    }
    if (position.best === undefined) throw new RangeError('a training has at least one epoch');
    return { rows: position.rows, best: position.best, last: await session.state() };
  } catch (error) {
    if (error instanceof ReproError && error.code === 'training-interrupted') await save();
    throw error;
  } finally {
    session.dispose();
  }
}

/** Runs what is left of an epoch and moves `position` to the start of the next. */
async function runEpoch(task: TrainingTask, session: EngineSession, position: Position): Promise<void> {
  const { spec, settings, split, test, train } = task;
  const { batchSize } = settings;
  const { epoch } = position;
  const random = TorchRandom.restore(position.random);
  const order = drawEpochOrder(random, split.train.length);
  const batches = Math.floor(order.length / batchSize);
  const learningRate = cosineLearningRate(settings.learningRate, settings.cosinePeriod, epoch);
  const beforeBatch = watchBatches(task, position);

  const rowsOf = (batch: number): Int32Array =>
    order.subarray(batch * batchSize, (batch + 1) * batchSize).map((place) => split.train[place]!);
  while (position.batch < batches) {
    await beforeBatch();
    const { batch, sums } = position;
    const rows = rowsOf(batch);
    const labels = rows.map((row) => train.labels[row]!);
    const step = await session.trainStep(
      {
        frames: await train.source.read(rows),
        labels,
        dropoutMasks: drawDropoutMasks(spec, batchSize, { seed: task.seed, epoch, batch }),
      },
      { learningRate, regulariseTau: settings.regulariseTau },
    );
    if (!Number.isFinite(step.loss)) {
      throw diverged(
        task,
        learningRate,
        `The loss is ${step.loss} in epoch ${epoch + 1}, batch ${batch + 1}`,
      );
    }
    position.sums = {
      loss: sums.loss + step.loss,
      correct: sums.correct + countCorrect(predictClasses(step.rates, spec.classes), labels),
      spikeRates: sums.spikeRates.map((sum, layer) => sum + step.spikeRates[layer]!),
    };
    position.batch = batch + 1;
  }

  const options = { classes: spec.classes, batchSize, beforeBatch };
  const tested = isTested(settings, epoch)
    ? await evaluateClips(session, test, Int32Array.from(test.labels.keys()), options)
    : undefined;
  const validated = await evaluateClips(session, train, split.validation, options);
  const state = await session.state();
  const broken = findNonFinite(state);
  if (broken !== undefined) {
    // A potential that is no number never reaches the threshold: the loss stays finite, and the network silent.
    throw diverged(
      task,
      learningRate,
      `"${broken}" holds values that are no numbers after epoch ${epoch + 1}`,
    );
  }
  const { sums } = position;
  const validationAccuracy = validated.score.accuracy;
  const row: EpochMetrics = {
    epoch,
    learningRate,
    train: { loss: sums.loss / batches, accuracy: sums.correct / (batches * batchSize) },
    validation: { loss: validated.score.loss, accuracy: validationAccuracy },
    test: tested === undefined ? null : { loss: tested.score.loss, accuracy: tested.score.accuracy },
    layers: tauStatistics(spec, state).map((statistics, layer) => ({
      ...statistics,
      spikeRate: sums.spikeRates[layer]! / batches,
    })),
  };
  position.rows.push(row);
  if (position.best === undefined || validationAccuracy >= position.best.validationAccuracy) {
    position.best = { epoch, validationAccuracy, testAccuracy: tested?.score.accuracy ?? null, state };
  }
  Object.assign(position, { epoch: epoch + 1, batch: 0, sums: noSums(spec), random: random.state() });
  task.log?.(describeEpoch(settings, row));
  reportProgress(task, position, 0);
}

function describeResumption({ epoch, batch }: Checkpoint, epochs: number): string {
  if (epoch === epochs) return `All ${epochs} epochs are trained already.`;
  const done = batch === 0 ? '' : `, ${batch} of whose batches are done`;
  return `Going on with epoch ${epoch + 1} of ${epochs}${done}.`;
}

/** Gives what is to be called before each batch that is left of an epoch: reports progress and hears an abort. */
function watchBatches(task: TrainingTask, position: Position): () => Promise<void> {
  let ahead = position.batch; // batches of this epoch that are done
  return async () => {
    // An engine may compute without ever returning to the event loop, where signals are heard.
    await nextTurn();
    if (task.signal?.aborted) {
      throw new ReproError('training-interrupted', `Interrupted in epoch ${position.epoch + 1}.`, {
        fix: 'Run it again: it goes on from here.',
        cause: task.signal.reason,
      });
    }
    reportProgress(task, position, ahead);
    ahead += 1;
  };
}

/** @param ahead batches that are done of the epoch at `position` */
function reportProgress(task: TrainingTask, position: Position, ahead: number): void {
  const { settings, split, test } = task;
  const clips = { train: split.train.length, validation: split.validation.length, test: test.labels.length };
  task.progress?.({
    done: countBatches(settings, clips, position.epoch) + ahead,
    total: countBatches(settings, clips, settings.epochs),
    unit: 'batches',
    note: describeProgress(settings, position),
  });
}

/** The first tensor that holds something else than finite numbers. */
function findNonFinite(state: State): string | undefined {
  for (const [name, { dtype, data }] of state) {
    if (dtype === 'F32' && !data.every(Number.isFinite)) return name;
  }
  return undefined;
}

function noSums(spec: NetworkSpec): EpochSums {
  return { loss: 0, correct: 0, spikeRates: spikingLayers(spec).map(() => 0) };
}

/** Names a training by everything that its numbers come from, but for the frames themselves. */
function trainingKey({ engine, spec, seed, settings, split, test }: TrainingTask): string {
  const { name, backend, version } = engine.description;
  const parts = { name, backend, version, spec, seed, settings, test: test.labels.length };
  return createHash('sha256')
    .update(JSON.stringify({ ...parts, train: [...split.train], validation: [...split.validation] }))
    .digest('hex');
}

function diverged({ seed, settings }: TrainingTask, learningRate: number, what: string): ReproError {
  const { regulariseTau } = settings;
  return new ReproError('training-diverged', `${what} (learning rate ${learningRate.toPrecision(3)}).`, {
    where: `seed ${seed}`,
    fix: [
      'Look at metrics of the epochs before (does the loss grow, does a layer stop spiking?), then try a lower `train.learningRate`.',
      regulariseTau > 0
        ? `The regulariser λ = ${regulariseTau} needs more than one τ a layer: the variance of a single number is not a number.`
        : 'In the first batch of all, suspect the frames: `repro run frames --force`.',
    ].join('\n'),
  });
}
