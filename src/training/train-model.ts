import type { Workload } from '../network/engines/engine.ts';
import { repeatedSteps } from '../network/spec.ts';
import { writeStageFiles } from '../results/stage-files.ts';
import { EVENT_FILE, encodeTraining } from '../results/tensorboard.ts';
import { chooseTestUsers, type Folds } from './folds.ts';
import { openFrameCache } from './open-frames.ts';
import type { ResolvedModel } from './resolve-model.ts';
import {
  buildSpec,
  type FramesTraining,
  formatRunFiles,
  type TrainingResult,
  trainOnFrames,
} from './train-on-frames.ts';

/** A training of a model with a seed on a folder of frames. */
interface ModelTraining extends FramesTraining {
  readonly framesFolder: string;
  /** Without them, the clips of test.npy are tested. */
  readonly folds?: Folds | undefined;
}

/**
 * What an engine computes when it trains a model.
 *
 * @throws {ReproError} as `openFrameCache`; `model-invalid` if the network cannot be built for these frames
 */
export async function workloadOf(
  framesFolder: string,
  { network, training }: ResolvedModel,
): Promise<Workload> {
  const { index, input, close } = await openFrameCache(framesFolder);
  await close();
  const spec = buildSpec({ input, classes: index.classes.length, ...network });
  const steps = repeatedSteps(spec) ?? index.frames.steps;
  return { spec, steps, trainingBatch: training.batchSize, evaluationBatch: 0 };
}

/**
 * Trains a model: what the stage `train` and `repro train-val` have in common.
 *
 * @throws {ReproError} as `openFrameCache` and `trainOnFrames`
 */
export async function trainModel({
  framesFolder,
  folds,
  ...training
}: ModelTraining): Promise<TrainingResult> {
  const frames = await openFrameCache(
    framesFolder,
    (index) => (folds === undefined ? undefined : chooseTestUsers(index, folds, training.seed)),
    training.model.training.frameOrder,
  );
  try {
    return await trainOnFrames(frames, training);
  } finally {
    await frames.close();
  }
}

/**
 * Writes the files of a training, and TensorBoard's curves. They do not depend on the clock: an event's time is its epoch, in seconds
 * after 1970.
 */
export async function writeRunFiles(folder: string, result: TrainingResult): Promise<void> {
  const { spec, outcome } = result;
  const curves = encodeTraining(spec, outcome.rows, (row) => row.epoch);
  await writeStageFiles(folder, { ...formatRunFiles(result), [`tensorboard/${EVENT_FILE}`]: curves });
}
