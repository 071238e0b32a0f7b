import { ReproError, unreachable } from '../base/errors.ts';
import { findBrokenTensors } from '../formats/tensor.ts';
import { drawDropoutMasks } from '../network/dropout-masks.ts';
import type { EngineSession } from '../network/engines/engine.ts';
import { TorchRandom } from '../network/torch-random.ts';
import { FIRST_BATCHES, LOGGED_EVERY, type LossAndAccuracy } from '../results/metrics.ts';
import { COMPAT_DEFAULTS, type Compat } from '../results/thesis/compat.ts';
import type { BestEpoch } from './checkpoint.ts';
import { readAhead } from './clip-source.ts';
import { type Evaluation, evaluateClips } from './evaluation.ts';
import { cosineLearningRate, drawEpochOrders, wholeBatches } from './schedule.ts';
import { countCorrect, predictClasses, scoringOf } from './scores.ts';
import { describeEpoch, isTested, noSums, type Position, type TrainingTask } from './task.ts';
import { copyLogits, tauStatistics } from './time-constants.ts';

/**
 * Runs the rest of an epoch and moves `position` to the start of the next: all whole training batches in a new order, then the test
 * and validation clips, then the epoch's row, and its state if it is the best so far.
 *
 * @param beforeBatch called before each batch, of training and of evaluation; throws to stop
 * @throws {ReproError} `training-diverged` if the loss or, after the epoch, a parameter is NaN or infinite
 */
export async function runEpoch(
  task: TrainingTask,
  session: EngineSession,
  position: Position,
  beforeBatch: () => Promise<void>,
): Promise<void> {
  const { spec, settings, split, test, train, compat = COMPAT_DEFAULTS } = task;
  const { batchSize } = settings;
  const { epoch } = position;
  const random = TorchRandom.restore(position.random);
  const orders = drawEpochOrders(random, {
    train: split.train.length,
    validation: split.validation.length,
  });
  const learningRate = cosineLearningRate(settings.learningRate, settings.cosineHalfPeriod, epoch);
  const trainRows = wholeBatches(orders.train, split.train, batchSize);
  const batches = trainRows.length / batchSize;
  await trainBatches(task, session, position, trainRows, learningRate, beforeBatch);

  const options = { scoring: scoringOf(spec, compat), batchSize, beforeBatch };
  const tested = isTested(settings, epoch)
    ? await evaluateClips(session, test, task.testRows, options)
    : undefined;
  const validationRows =
    compat.validation === 'all'
      ? split.validation
      : wholeBatches(orders.validation, split.validation, batchSize);
  const validated =
    validationRows.length === 0 ? undefined : await evaluateClips(session, train, validationRows, options);
  const state = await session.state();
  const [broken] = findBrokenTensors(state);
  if (broken !== undefined) {
    // A NaN potential never reaches the threshold: the network falls silent and the loss stays finite.
    const what = `"${broken}" has NaN or infinite values after epoch ${epoch + 1}`;
    throw divergedError(task, learningRate, what);
  }

  const { sums } = position;
  const row = {
    epoch,
    learningRate,
    train: { loss: sums.loss / batches, accuracy: sums.correct / (batches * batchSize) },
    validation: lossAndAccuracy(validated),
    test: lossAndAccuracy(tested),
    layers: tauStatistics(spec, position.logits, state).map((statistics, layer) => ({
      ...statistics,
      spikeRate: sums.spikeRates[layer]! / batches,
    })),
    batches: (epoch + 1) * batches,
    logged: sums.logged,
    first: sums.first,
  };
  position.rows = [...position.rows, row];
  const figures = {
    validationAccuracy: row.validation?.accuracy ?? null,
    testAccuracy: row.test?.accuracy ?? null,
  };
  if (isPreferred(compat.selection, figures, position.best)) position.best = { epoch, ...figures, state };
  position.epoch = epoch + 1;
  position.batch = 0;
  position.sums = noSums(spec);
  position.logits = copyLogits(spec, state);
  position.random = random.state();
  task.log?.(describeEpoch(settings, row));
}

/**
 * Trains on an epoch's remaining batches, moving `position` past each one.
 *
 * @param trainRows the clips of the whole batches, in the order in which they are visited
 */
async function trainBatches(
  { spec, seed, settings, train, compat = COMPAT_DEFAULTS }: TrainingTask,
  session: EngineSession,
  position: Position,
  trainRows: Int32Array,
  learningRate: number,
  beforeBatch: () => Promise<void>,
): Promise<void> {
  const { batchSize, tauRate = 1, regulariseTau } = settings;
  const { regularise, loss } = compat;
  const scoring = scoringOf(spec, compat);
  const { epoch } = position;
  const batches = trainRows.length / batchSize;
  const rowsOf = (batch: number) => trainRows.subarray(batch * batchSize, (batch + 1) * batchSize);
  const reading = readAhead(position.batch, batches, (batch) =>
    train.source.read(rowsOf(batch), { seed, epoch, batch }),
  );
  for await (const frames of reading) {
    await beforeBatch();
    const { batch, sums } = position;
    const labels = rowsOf(batch).map((row) => train.labels[row]!);
    const step = await session.trainStep(
      {
        frames,
        labels,
        dropoutMasks: drawDropoutMasks(spec, batchSize, { seed, epoch, batch }),
      },
      { learningRate, tauRate, regulariseTau, regularise, loss },
    );
    if (!Number.isFinite(step.loss)) {
      const what = `The loss is ${step.loss} in epoch ${epoch + 1}, batch ${batch + 1}`;
      throw divergedError({ seed, settings }, learningRate, what);
    }
    const correct = countCorrect(predictClasses(step, scoring, true), labels);
    const stepsBefore = epoch * batches + batch;
    const isLogged = stepsBefore % LOGGED_EVERY === 0;
    const isFirst = stepsBefore < FIRST_BATCHES;
    position.sums = {
      loss: sums.loss + step.loss,
      correct: sums.correct + correct,
      spikeRates: sums.spikeRates.map((sum, layer) => sum + step.spikeRates[layer]!),
      logged: isLogged
        ? [...sums.logged, { step: stepsBefore, loss: step.loss, accuracy: correct / batchSize }]
        : sums.logged,
      first: isFirst ? [...sums.first, { loss: step.loss, spikeRates: [...step.spikeRates] }] : sums.first,
    };
    position.batch = batch + 1;
  }
}

/** The error for a training whose numbers are NaN or infinite, with what to try. */
function divergedError(
  { seed, settings }: Pick<TrainingTask, 'seed' | 'settings'>,
  learningRate: number,
  what: string,
): ReproError {
  const lambdas = [settings.regulariseTau].flat();
  return new ReproError('training-diverged', `${what} (learning rate ${learningRate.toPrecision(3)}).`, {
    where: `seed ${seed}`,
    fix: [
      'Look at the metrics of earlier epochs (does the loss grow, does a layer stop spiking?), then try a lower learning rate (`train.learningRate`, or the model’s in `learningRates`).',
      lambdas.some((lambda) => lambda > 0)
        ? `The regulariser λ = ${lambdas.join(', ')} needs more than one τ per layer: the variance of a single number is undefined.`
        : 'If it happens in the very first batch, suspect the frames: `./repro run frames --force`.',
    ].join('\n'),
  });
}

function lossAndAccuracy(evaluation: Evaluation | undefined): LossAndAccuracy | null {
  return evaluation ? { loss: evaluation.score.loss, accuracy: evaluation.score.accuracy } : null;
}

/**
 * Whether an epoch replaces the best so far.
 *
 * `validation`: if its validation accuracy is at least as high, so that the latest of ties is kept, as in the original.
 * `best-test`: if its test accuracy is higher, so that the first of ties is kept, like the maximum over epochs that the paper reports;
 * an epoch that was not tested cannot be chosen.
 * `last`: always.
 */
export function isPreferred(
  selection: Compat['selection'],
  candidate: Pick<BestEpoch, 'validationAccuracy' | 'testAccuracy'>,
  best: Pick<BestEpoch, 'validationAccuracy' | 'testAccuracy'> | undefined,
): boolean {
  switch (selection) {
    case 'validation':
      return (
        candidate.validationAccuracy !== null &&
        candidate.validationAccuracy >= (best?.validationAccuracy ?? 0)
      );
    case 'best-test':
      // Without a best so far, any accuracy is preferred, including 0.
      return candidate.testAccuracy !== null && candidate.testAccuracy > (best?.testAccuracy ?? -1);
    case 'last':
      return true;
    default:
      return unreachable(selection);
  }
}
