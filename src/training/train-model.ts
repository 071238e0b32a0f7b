import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ReproError } from '../base/errors.ts';
import { writeSafetensors } from '../formats/safetensors.ts';
import { ShapeError } from '../formats/tensor.ts';
import type { Workload } from '../network/engines/engine.ts';
import { buildNetwork, type NetworkConfig } from '../network/networks.ts';
import { countParameters, type NetworkSpec, repeatedSteps } from '../network/spec.ts';
import type { ClipIndex } from '../results/clip-index.ts';
import { formatFirstBatches, formatMetrics } from '../results/metrics.ts';
import {
  formatRun,
  formatSplit,
  type Maximum,
  maximumAccuracy,
  pickTestUsers,
  type RunFile,
} from '../results/run-file.ts';
import { EVENT_FILE, encodeTraining } from '../results/tensorboard.ts';
import { chooseTestUsers, type Folds } from './folds.ts';
import { type FrameCache, labelsOf, openFrameCache } from './frame-cache.ts';
import { countDraws } from './image-source.ts';
import { type TrainingOutcome, trainNetwork } from './loop.ts';
import type { ResolvedModel } from './resolve-model.ts';
import type { TrainingTask } from './task.ts';
import { chooseTrainingClips, type TrainingClips } from './training-clips.ts';

/** A training of a model with a seed on a folder of frames. */
interface ModelTraining
  extends Pick<TrainingTask, 'engine' | 'seed' | 'checkpoints' | 'signal' | 'progress' | 'note' | 'log'> {
  readonly framesFolder: string;
  /** Without them, the clips of test.npy are tested. */
  readonly folds?: Folds | undefined;
  readonly model: ResolvedModel;
  /** The name of the model in run.json. */
  readonly id: string;
  /** Called after each epoch with the result so far. */
  readonly onEpoch?: (result: TrainingResult) => Promise<void>;
}

/** Everything that the files of a training say. */
export interface TrainingResult {
  readonly run: RunFile;
  readonly spec: NetworkSpec;
  readonly clips: TrainingClips;
  readonly outcome: TrainingOutcome;
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
 * @throws {ReproError} as `openFrameCache`, `setUpTraining` and `trainNetwork`
 */
export async function trainModel(training: ModelTraining): Promise<TrainingResult> {
  const { framesFolder, folds, model, id, onEpoch, ...rest } = training;
  const frames = await openFrameCache(
    framesFolder,
    (index) => (folds === undefined ? undefined : chooseTestUsers(index, folds, rest.seed)),
    model.training.frameOrder,
  );
  try {
    const { network, clips, task } = setUpTraining(frames, model, rest.seed);
    if (clips.testUsers !== undefined) rest.note?.(`Tests users ${clips.testUsers.join(', ')}.`);
    const describe = (outcome: TrainingOutcome): TrainingResult => ({
      run: describeRun(training, { index: frames.index, network, task, clips, outcome }),
      spec: task.spec,
      clips,
      outcome,
    });
    const onEnd =
      onEpoch === undefined ? {} : { onEpoch: (outcome: TrainingOutcome) => onEpoch(describe(outcome)) };
    return describe(await trainNetwork({ ...task, ...rest, ...onEnd }));
  } finally {
    await frames.close();
  }
}

/**
 * A model on the frames that it is trained on.
 *
 * @returns `task`: the part of the training's task that model, seed and frames determine
 * @throws {ReproError} as `chooseTrainingClips`; `model-invalid` if the network cannot be built for these frames
 */
export function setUpTraining(frames: FrameCache, model: ResolvedModel, seed: number) {
  const { index, rows } = frames;
  const network = { input: frames.input, classes: index.classes.length, ...model.network };
  const clips = chooseTrainingClips(frames, model, seed);
  return {
    network,
    clips,
    task: {
      spec: buildSpec(network),
      seed,
      settings: model.training,
      compat: clips.compat,
      split: clips.split,
      drawsBefore: countDrawsOfSplit(index, clips),
      train: { source: frames.train, labels: labelsOf(index.splits.train) },
      test: { source: frames.test, labels: labelsOf(index.splits.test) },
      testRows: rows.test,
    },
  };
}

/**
 * The original reads the label of each training image to hold some back, and with it the image, varied with numbers of the stream that
 * the network's weights come from. The program that Fang et al. train with without a split, `train.py`, does not.
 */
function countDrawsOfSplit({ images, splits }: ClipIndex, { split }: TrainingClips): number {
  if (images === undefined || split.validation.length === 0) return 0;
  return splits.train.length * countDraws(images.augmentation);
}

function buildSpec(network: NetworkConfig): NetworkSpec {
  try {
    return buildNetwork(network);
  } catch (cause) {
    if (!(cause instanceof ShapeError)) throw cause;
    const fix =
      cause.key === 'channels'
        ? 'Use fewer `train.network.channels`.'
        : 'Change the `network` of the model, or make other frames (`frames` in the profile).';
    throw new ReproError('model-invalid', `${cause.message}.`, { fix, cause });
  }
}

function describeRun(
  { id, model, seed, engine }: ModelTraining,
  {
    index,
    network,
    task: { spec, testRows },
    clips: { compat, split, testUsers },
    outcome: { rows, best },
  }: ReturnType<typeof setUpTraining> & { readonly index: ClipIndex; readonly outcome: TrainingOutcome },
): RunFile {
  const { name, backend, version } = engine.description;
  const { epoch, validationAccuracy, testAccuracy } = best;
  const maximumOf = (part: 'test' | 'validation'): Maximum =>
    maximumAccuracy(rows.map((row) => ({ epoch: row.epoch, accuracy: row[part]?.accuracy ?? null })));
  return {
    version: 1,
    model: { id, title: model.title },
    seed,
    dataset: index.dataset,
    simulated: index.simulated,
    engine: { name, backend, version },
    frames: index.frames,
    network,
    parameters: countParameters(spec),
    training: { ...model.training },
    compat: { ...compat },
    split: {
      train: split.train.length,
      validation: split.validation.length,
      test: testRows.length,
      ...pickTestUsers({ testUsers }),
    },
    best: { epoch, validationAccuracy, testAccuracy },
    maximum: {
      test: maximumOf('test'),
      validation: split.validation.length === 0 ? null : maximumOf('validation'),
    },
  };
}

/** The text of split.json. */
export function describeSplit(clips: TrainingClips): string {
  const { train, validation } = clips.split;
  return formatSplit({ ...clips, train: [...train], validation: [...validation] });
}

/**
 * Writes the files of a training: run.json, split.json, metrics.csv, first-batches.csv, the best and last states, and TensorBoard's
 * curves. They do not depend on the clock: an event's time is its epoch, in seconds after 1970.
 */
export async function writeRunFiles(
  folder: string,
  { run, spec, clips, outcome: { rows, best, last } }: TrainingResult,
): Promise<void> {
  await mkdir(join(folder, 'tensorboard'), { recursive: true });
  const files: Readonly<Record<string, string | Uint8Array>> = {
    'run.json': formatRun(run),
    'split.json': describeSplit(clips),
    'metrics.csv': formatMetrics(rows),
    // An epoch may have fewer batches than are kept.
    'first-batches.csv': formatFirstBatches(rows.flatMap((row) => row.first)),
    'best.safetensors': writeSafetensors(best.state),
    'last.safetensors': writeSafetensors(last),
    [`tensorboard/${EVENT_FILE}`]: encodeTraining(spec, rows, (row) => row.epoch),
  };
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
}
