import { ReproError } from '../base/errors.ts';
import { writeSafetensors } from '../formats/safetensors.ts';
import { ShapeError } from '../formats/tensor.ts';
import { buildNetwork, type NetworkConfig } from '../network/networks.ts';
import { countParameters, type NetworkSpec } from '../network/spec.ts';
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
import { type FrameCache, labelsOf } from './frame-cache.ts';
import { countDraws } from './image-source.ts';
import { type TrainingOutcome, trainNetwork } from './loop.ts';
import type { ResolvedModel } from './resolve-model.ts';
import type { TrainingTask } from './task.ts';
import { chooseTrainingClips, type TrainingClips } from './training-clips.ts';

/** A training of a model with a seed. */
export interface FramesTraining
  extends Pick<TrainingTask, 'engine' | 'seed' | 'checkpoints' | 'signal' | 'progress' | 'note' | 'log'> {
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

/** @throws {ReproError} as `setUpTraining` and `trainNetwork` */
export async function trainOnFrames(frames: FrameCache, training: FramesTraining): Promise<TrainingResult> {
  const { model, id: _, onEpoch, ...rest } = training;
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

export function buildSpec(network: NetworkConfig): NetworkSpec {
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
  { id, model, seed, engine }: FramesTraining,
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

/** The files of a training by name: run.json, split.json, metrics.csv, first-batches.csv, and the best and last states. */
export function formatRunFiles({ run, clips, outcome: { rows, best, last } }: TrainingResult) {
  return {
    'run.json': formatRun(run),
    'split.json': describeSplit(clips),
    'metrics.csv': formatMetrics(rows),
    // An epoch may have fewer batches than are kept.
    'first-batches.csv': formatFirstBatches(rows.flatMap((row) => row.first)),
    'best.safetensors': writeSafetensors(best.state),
    'last.safetensors': writeSafetensors(last),
  };
}
