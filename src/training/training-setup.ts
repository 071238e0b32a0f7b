import { ReproError } from '../errors.ts';
import type { ClipIndex } from '../results/clip-index.ts';
import { buildNetwork, type NetworkConfig } from '../snn/networks.ts';
import type { NetworkSpec } from '../snn/spec.ts';
import { NetworkSizeError, ShapeError } from '../snn/tensor.ts';
import { type FrameCache, labelsOf } from './frame-cache.ts';
import { countDraws } from './image-source.ts';
import type { ResolvedModel } from './model-file.ts';
import type { TrainingTask } from './task.ts';
import { chooseTrainingClips, type TrainingClips } from './training-clips.ts';

/** A model with a seed on the frames that it is trained on. */
export interface TrainingSetup {
  readonly network: NetworkConfig;
  readonly clips: TrainingClips;
  /** The part of the training's task that model, seed and frames determine. */
  readonly task: Required<
    Pick<TrainingTask, 'spec' | 'seed' | 'settings' | 'compat' | 'split' | 'drawsBefore' | 'train' | 'test'>
  >;
}

/** @throws {ReproError} as `chooseTrainingClips`; `model-invalid` if the network cannot be built for these frames */
export function setUpTraining(frames: FrameCache, model: ResolvedModel, seed: number): TrainingSetup {
  const { index } = frames;
  const network = { input: frames.input, classes: index.classes.length, ...model.network };
  const clips = chooseTrainingClips(index, model, seed);
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
      cause instanceof NetworkSizeError
        ? 'Use fewer `train.network.channels`.'
        : 'Change the `network` of the model, or make other frames (`frames` in the profile).';
    throw new ReproError('model-invalid', `${cause.message}.`, { fix, cause });
  }
}
