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
  readonly progress?: (progress: {
    readonly done: number;
    readonly total: number;
    readonly unit: 'batches';
    readonly note: string;
  }) => void;
  readonly note?: (text: string) => void;
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
 * @throws {ReproError} `training-diverged` if the loss is no number; `training-interrupted` on abort, after saving
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
    task.note?.(`Going on from epoch ${saved.epoch + 1} of ${settings.epochs}, batch ${saved.batch + 1}.`);
  }
  const random = new TorchRandom(task.seed);
  const parameters = saved?.parameters ?? initialState(task.spec, random);
  const position: Position =
    saved === undefined
      ? { epoch: 0, batch: 0, sums: noSums(task.spec), random: random.state(), rows: [], best: undefined }
      : { ...saved, rows: [...saved.rows] };
  const session = await task.engine.open(task.spec, parameters, saved?.optimiser);
  const save = async (): Promise<void> =>
    checkpoints?.save({
      ...position,
      key,
      parameters: await session.state(),
      optimiser: await session.optimiserState(),
    } satisfies Checkpoint);
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
  const tracker = trackProgress(task, position, batches);

  const rowsOf = (batch: number): Int32Array =>
    order.subarray(batch * batchSize, (batch + 1) * batchSize).map((place) => split.train[place]!);
  while (position.batch < batches) {
    await tracker.beforeBatch();
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
    if (!Number.isFinite(step.loss)) throw diverged(task, epoch, batch, step.loss, learningRate);
    position.sums = {
      loss: sums.loss + step.loss,
      correct: sums.correct + countCorrect(predictClasses(step.rates, spec.classes), labels),
      spikeRates: sums.spikeRates.map((sum, layer) => sum + step.spikeRates[layer]!),
    };
    position.batch = batch + 1;
  }

  const options = { classes: spec.classes, batchSize, beforeBatch: tracker.beforeBatch };
  const tested = isTested(settings, epoch)
    ? await evaluateClips(session, test, Int32Array.from(test.labels.keys()), options)
    : undefined;
  const validated = await evaluateClips(session, train, split.validation, options);
  const state = await session.state();
  const { sums } = position;
  const validationAccuracy = validated.score.accuracy;
  position.rows.push({
    epoch,
    learningRate,
    train: { loss: sums.loss / batches, accuracy: sums.correct / (batches * batchSize) },
    validation: { loss: validated.score.loss, accuracy: validationAccuracy },
    test: tested === undefined ? null : { loss: tested.score.loss, accuracy: tested.score.accuracy },
    layers: tauStatistics(spec, state).map((statistics, layer) => ({
      ...statistics,
      spikeRate: sums.spikeRates[layer]! / batches,
    })),
  });
  if (position.best === undefined || validationAccuracy >= position.best.validationAccuracy) {
    position.best = { epoch, validationAccuracy, testAccuracy: tested?.score.accuracy ?? null, state };
  }
  Object.assign(position, { epoch: epoch + 1, batch: 0, sums: noSums(spec), random: random.state() });
  tracker.epochDone();
}

/** Reports progress and watches for an abort; test and validation batches count as much as training batches. */
function trackProgress(
  { settings, split, test, signal, progress }: TrainingTask,
  position: Position,
  trainBatches: number,
): { beforeBatch: () => Promise<void>; epochDone: () => void } {
  const batchesOf = (clips: number): number => Math.ceil(clips / settings.batchSize);
  const evaluated = (epoch: number): number =>
    batchesOf(split.validation.length) + (isTested(settings, epoch) ? batchesOf(test.labels.length) : 0);
  const before = (epochs: number): number => {
    let batches = 0;
    for (let epoch = 0; epoch < epochs; epoch++) batches += trainBatches + evaluated(epoch);
    return batches;
  };
  const total = before(settings.epochs);
  let done = before(position.epoch) + position.batch;
  const report = (): void => {
    const last = position.rows.at(-1);
    const running = position.batch > 0 ? position.sums.loss / position.batch : last?.train.loss;
    const parts = [`epoch ${Math.min(position.epoch + 1, settings.epochs)}/${settings.epochs}`];
    if (running !== undefined) parts.push(`loss ${running.toFixed(3)}`);
    if (last !== undefined) parts.push(`val ${Math.round(100 * last.validation.accuracy)} %`);
    progress?.({ done, total, unit: 'batches', note: parts.join(' · ') });
  };
  return {
    beforeBatch: async () => {
      // An engine may compute without ever returning to the event loop, where signals are heard.
      await nextTurn();
      if (signal?.aborted) {
        throw new ReproError('training-interrupted', `Interrupted in epoch ${position.epoch + 1}.`, {
          fix: 'Run it again: it goes on from here.',
          cause: signal.reason,
        });
      }
      report();
      done += 1;
    },
    epochDone: report,
  };
}

/** Every so many epochs and after the last one. */
function isTested({ epochs, testEvery }: TrainingSettings, epoch: number): boolean {
  return (epoch + 1) % testEvery === 0 || epoch === epochs - 1;
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

function diverged(task: TrainingTask, epoch: number, batch: number, loss: number, rate: number): ReproError {
  const { regulariseTau } = task.settings;
  return new ReproError(
    'training-diverged',
    `The loss is ${loss} in epoch ${epoch + 1}, batch ${batch + 1} (learning rate ${rate.toPrecision(3)}).`,
    {
      where: `seed ${task.seed}`,
      fix: [
        'Look at metrics of the epochs before (does the loss grow, does a layer stop spiking?), then try a lower `train.learningRate`.',
        regulariseTau > 0
          ? `The regulariser λ = ${regulariseTau} needs one τ a neuron: the variance of a single number is not a number.`
          : 'In the first batch of all, suspect the frames: `repro run frames --force`.',
      ].join('\n'),
    },
  );
}
