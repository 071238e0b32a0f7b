import type { State } from '../formats/tensor.ts';
import { type Cost, measureCost } from '../network/cost.ts';
import type { Engine } from '../network/engines/engine.ts';
import { buildNetwork } from '../network/networks.ts';
import { repeatedSteps } from '../network/spec.ts';
import {
  countStepsToAnswer,
  type EvaluationFile,
  type FrameOrder,
  formatEvaluation,
  type TauChange,
} from '../results/evaluation-file.ts';
import { formatPredictions, type Predictions } from '../results/predictions.ts';
import { pickTestUsers, type RunFile } from '../results/run-file.ts';
import { formatTaus, type TausByState } from '../results/tau-file.ts';
import {
  EVALUATION_BATCH,
  type EvaluatedSplits,
  evaluateSplits,
  evaluateUntilAborted,
} from './evaluation.ts';
import type { FrameCache } from './frame-cache.ts';
import { confusionMatrix, scoringOf } from './scores.ts';
import { evaluateTaus } from './tau-changes.ts';
import { tauQuantiles } from './time-constants.ts';

/** What a profile says of an evaluation. */
export interface EvaluationParams {
  readonly batchSize?: number;
  readonly orders?: readonly FrameOrder[];
  readonly tau?: readonly TauChange[];
}

/** The network of a training run, and how to evaluate it. */
export function settleEvaluation(run: RunFile, params: EvaluationParams = {}) {
  const { batchSize = EVALUATION_BATCH, orders = [], tau: changes = [] } = params;
  const spec = buildNetwork(run.network);
  return {
    ...{ run, spec, batchSize, changes },
    steps: repeatedSteps(spec) ?? run.frames.steps,
    // Trained without an order, it has none to change.
    orders: run.training.frameOrder === undefined ? orders : [],
    // Batch norm's statistics are estimated again in training mode.
    trainingBatch: changes.length === 0 ? 0 : run.training.batchSize,
  };
}

interface RunEvaluation {
  /** Rows of the clips that the run was trained and validated on. */
  readonly split: Readonly<Record<'train' | 'validation', ArrayLike<number>>>;
  /** After the chosen epoch, and after the last one. */
  readonly state: State;
  readonly last: State;
  readonly signal: AbortSignal;
  readonly warn: (text: string) => void;
  readonly onProgress: (done: number, total: number) => void;
}

/**
 * Runs the chosen epoch of a training over the test and the validation clips, and over the test clips with other orders of frames and with
 * other τ.
 *
 * @throws {ReproError} `evaluation-interrupted`
 */
export async function evaluateRun(
  engine: Engine,
  frames: FrameCache,
  { run, spec, steps, batchSize, changes, orders, trainingBatch }: ReturnType<typeof settleEvaluation>,
  { split, state, last, signal, warn, onProgress }: RunEvaluation,
): Promise<EvaluatedRun> {
  const scoring = scoringOf(spec, run.compat);
  const session = await engine.open(spec, state);
  const evaluated = await evaluateUntilAborted(session, signal, (beforeBatch) =>
    evaluateSplits(session, frames, Int32Array.from(split.validation), {
      ...{ scoring, batchSize, beforeBatch, warn, onProgress, orders },
    }),
  );
  const tau = await evaluateTaus(engine, changes, {
    ...{ spec, state, seed: run.seed, frames, scoring, batchSize, trainingBatch, signal, onProgress },
    trained: Int32Array.from(split.train),
  });
  const { evaluation, rows } = evaluated.test;
  return {
    ...{ ...evaluated, run, classes: frames.index.classes },
    ...(changes.length === 0 ? {} : { tau }),
    taus: { chosen: tauQuantiles(spec, state), last: tauQuantiles(spec, last) },
    cost: measureCost(spec, steps, { ...evaluation, samples: rows.length }),
  };
}

/** By the network with its τ changed. */
type Changed = Pick<EvaluationFile, 'tau'>;

/** Everything that an evaluation finds out about a training run. */
interface EvaluatedRun extends EvaluatedSplits, Changed {
  readonly run: RunFile;
  readonly classes: readonly string[];
  readonly taus: TausByState;
  /** Of the test clips. */
  readonly cost: Cost;
}

/** The figures of an evaluation that its stage reports, for `repro metrics`. */
export function summariseEvaluation({ test, validation, orders, tau }: EvaluatedSplits & Changed) {
  const { score, correctByStep } = test.evaluation;
  return {
    testAccuracy: score.accuracy,
    testClips: score.clips,
    validationAccuracy: validation?.evaluation.score.accuracy ?? null,
    stepsToAnswer: countStepsToAnswer(correctByStep),
    ...Object.fromEntries(
      Object.entries(orders).map(([order, { accuracy }]) => [`testAccuracy.${order}`, accuracy]),
    ),
    ...Object.fromEntries(
      Object.entries(tau ?? {}).map(([change, { again }]) => [`testAccuracy.tau.${change}`, again.accuracy]),
    ),
  };
}

/** The files of an evaluation by name: evaluation.json, predictions.csv and tau.csv. */
export function formatEvaluationFiles(evaluated: EvaluatedRun) {
  const { run, classes, test, validation, taus, orders, tau, cost } = evaluated;
  const { predicted, labels } = test.evaluation;
  const evaluation = formatEvaluation({
    model: run.model.id,
    title: run.model.title,
    seed: run.seed,
    dataset: run.dataset,
    simulated: run.simulated,
    classes,
    ...pickTestUsers(run.split),
    checkpoint: { selection: run.compat.selection, epoch: run.best.epoch },
    test: test.evaluation.score,
    validation: validation?.evaluation.score ?? null,
    spikeRates: {
      test: test.evaluation.spikeRates,
      validation: validation?.evaluation.spikeRates ?? null,
    },
    cost,
    maximum: run.maximum,
    confusion: confusionMatrix(predicted, labels, classes.length),
    correctByStep: test.evaluation.correctByStep,
    ...(Object.keys(orders).length === 0 ? {} : { orders }),
    ...(tau === undefined ? {} : { tau }),
  });
  const predictions: Predictions[] = [
    { split: 'test', ...test, ...test.evaluation },
    ...(validation === null
      ? []
      : [{ split: 'validation' as const, ...validation, ...validation.evaluation }]),
  ];
  return {
    'evaluation.json': evaluation,
    'predictions.csv': formatPredictions(classes.length, predictions),
    'tau.csv': formatTaus(taus),
  };
}
