import type { Engine } from '../engines/engine.ts';
import { ReproError } from '../errors.ts';
import type { ClipIndex } from '../results/clip-index.ts';
import type { Score } from '../results/evaluation-file.ts';
import { buildNetwork, type NetworkConfig } from '../snn/networks.ts';
import type { State } from '../snn/tensor.ts';
import { wilsonInterval } from '../stats/proportions.ts';
import { COMPAT_DEFAULTS } from '../thesis/compat.ts';
import { evaluateClips, evaluateUntilAborted } from '../training/evaluation.ts';
import { findBrokenTensors } from '../training/failures.ts';
import { type FrameCache, labelsOf, openFrameCache } from '../training/frame-cache.ts';
import { type ScoringCompat, scoringOf } from '../training/scores.ts';
import { listNames } from './import-checkpoint.ts';
import type { LoadedCheckpoint } from './loaded-checkpoint.ts';
import { refuseOtherFrames, warnOfSimulated } from './trained-on.ts';

/** `validation`: the training clips that the network's own training held back; `train`: all training clips. */
export type EvaluatedSplit = 'test' | 'validation' | 'train';

export interface CheckpointEvaluation extends Score {
  readonly split: EvaluatedSplit;
  /** 95 % Wilson interval of the accuracy. */
  readonly interval: { readonly low: number; readonly high: number };
  readonly dataset: string;
  /** Whether the clips are simulated. */
  readonly simulated: boolean;
  /** T of the frames. */
  readonly steps: number;
  readonly warnings: readonly string[];
}

/**
 * Evaluates a state on the clips of a frame cache.
 *
 * @throws {ReproError} `frames-differ` if the frames were made differently from those of its training, `frames-misfit` if the
 *   network cannot take such frames, `evaluation-interrupted`, and those of `networkOf`
 */
export async function evaluateCheckpoint(
  checkpoint: LoadedCheckpoint,
  {
    engine,
    framesFolder,
    split,
    otherFrames = false,
    batchSize,
    compat,
    signal,
    progress,
  }: {
    readonly engine: Engine;
    readonly framesFolder: string;
    readonly split: EvaluatedSplit;
    /** Whether frames made differently from those of its training only cause a warning. */
    readonly otherFrames?: boolean;
    readonly batchSize: number;
    /** Switches that override those of its training. */
    readonly compat?: Partial<ScoringCompat>;
    readonly signal: AbortSignal;
    /** Called with the number of clips done and their total. */
    readonly progress: (done: number, total: number) => void;
  },
): Promise<CheckpointEvaluation> {
  const { state, trainedOn, source } = checkpoint;
  const network = networkOf(checkpoint);
  const frames = await openFrameCache(framesFolder);
  try {
    const { index } = frames;
    const differences = refuseOtherFrames(trainedOn, index, { source, allowOther: otherFrames });
    checkFramesFit({ network, state }, index, frames.input);
    const rows = rowsOf(checkpoint, split, frames);
    const clips = split === 'test' ? index.splits.test : index.splits.train;
    const spec = buildNetwork(network);
    const session = await engine.open(spec, state);
    let done = 0;
    const { score } = await evaluateUntilAborted(session, signal, (beforeBatch) =>
      evaluateClips(
        session,
        { source: split === 'test' ? frames.test : frames.train, labels: labelsOf(clips) },
        rows,
        {
          scoring: scoringOf(spec, { ...COMPAT_DEFAULTS, ...checkpoint.compat, ...compat }),
          batchSize,
          beforeBatch,
          afterBatch: (count) => {
            done += count;
            progress(done, rows.length);
          },
        },
      ),
    );
    return {
      split,
      ...score,
      interval: wilsonInterval(score.correct, score.clips),
      dataset: index.dataset,
      simulated: index.simulated,
      steps: index.frames.steps,
      warnings: [...differences, ...warnOfSimulated(trainedOn, index)],
    };
  } finally {
    await frames.close();
  }
}

/**
 * The network of a state that can be evaluated.
 *
 * @throws {ReproError} `network-unknown`, or `state-broken` if some values are NaN or infinite
 */
export function networkOf({ network, state, source, whyUnknown }: LoadedCheckpoint): NetworkConfig {
  if (network !== null) {
    refuseBrokenState(state, source);
    return network;
  }
  const why = whyUnknown === undefined ? '.' : `: ${whyUnknown}`;
  throw new ReproError('network-unknown', `the network of these tensors is unknown${why}`, {
    where: source,
    fix: 'Use the folder of its training, or a file that `repro export` or `repro import` wrote: both describe the network.',
  });
}

function rowsOf(
  { validation, source, trainedOn }: LoadedCheckpoint,
  split: EvaluatedSplit,
  { index }: FrameCache,
): Int32Array {
  if (split !== 'validation') return Int32Array.from(index.splits[split].keys());
  if (validation === null) {
    throw new ReproError('split-unknown', 'the clips that its training held back are unknown.', {
      where: source,
      fix: 'Only the folder of a training lists them (split.json): use --split test, or --split train for all training clips.',
    });
  }
  if (validation.rows.length === 0) {
    throw new ReproError('split-empty', 'its training held no clips back.', {
      where: source,
      fix: 'Use --split test, or --split train for all training clips.',
    });
  }
  const { train, test } = index.splits;
  const isSame = validation.testClips === test.length && trainedOn.simulated === index.simulated;
  if (isSame && validation.rows.every((row) => row < train.length)) return Int32Array.from(validation.rows);
  throw new ReproError('split-unknown', 'the clips that its training held back are not among these.', {
    where: source,
    fix: 'It was trained on other frames: use the profile and settings that it was trained with.',
  });
}

/** Known cameras, and the profile with their frames. */
const CAMERAS: readonly { readonly side: number; readonly profile: string }[] = [
  { side: 34, profile: 'nmnist' },
  { side: 128, profile: 'full' },
];

/**
 * Checks that a network can be shown these frames.
 *
 * @param input [P, H, W] of a frame
 * @throws {ReproError} `frames-misfit` with the settings that would make them fit, if any
 */
export function checkFramesFit(
  { network, state }: { readonly network: NetworkConfig; readonly state: State },
  index: ClipIndex,
  input: readonly [number, number, number],
): void {
  const { architecture = 'event-frames' } = network;
  const fail = (problem: string, fix: string): never => {
    throw new ReproError('frames-misfit', problem, { fix });
  };
  if (architecture !== 'event-frames' && index.images === undefined) {
    fail(
      `this is a network for still images (${architecture}), but ${index.dataset} has event frames.`,
      `Choose a profile with such images: --profile ${architecture}.`,
    );
  }
  if (architecture === 'event-frames' && index.images !== undefined) {
    fail(
      `this is a network for event frames, but ${index.dataset} has still images.`,
      'Choose the profile of the event recordings that it was trained on, with --profile.',
    );
  }
  const [channels, height, width] = network.input;
  const [frameChannels, frameHeight, frameWidth] = input;
  if (channels !== frameChannels) {
    fail(
      `the network takes frames with ${channels} channels, but these have ${frameChannels}.`,
      index.images === undefined
        ? 'Event frames have 2, one per polarity.'
        : 'Images of MNIST and FashionMNIST have 1, those of CIFAR10 have 3.',
    );
  }
  if (height !== frameHeight || width !== frameWidth) {
    fail(
      `the network takes frames of ${height} x ${width}, but these are ${frameHeight} x ${frameWidth}.`,
      remedySize(network, state, index),
    );
  }
  if (network.classes !== index.classes.length) {
    fail(
      `the network has ${network.classes} classes, but ${index.dataset} has ${index.classes.length}.`,
      'It was trained on another data set: choose that one’s profile with --profile.',
    );
  }
}

function remedySize(network: NetworkConfig, state: State, { sensor, frames }: ClipIndex): string {
  const [, height, width] = network.input;
  const remedies: string[] = [];
  const factor = sensor.height / height;
  if (Number.isInteger(factor) && sensor.width / width === factor) {
    remedies.push(`Frames that fit: --set frames.downsample=${factor}.`);
  }
  const camera = CAMERAS.find(({ side }) => side === height && side === width && side !== sensor.height);
  if (camera !== undefined) {
    remedies.push(`Frames of ${camera.side} x ${camera.side}: --profile ${camera.profile}.`);
  }
  if (takesAlike(network, state, [frames.height, frames.width])) {
    remedies.push(
      `Its weights would fit these frames too. If it was trained on this size, import it with --input ${frames.height}x${frames.width}.`,
    );
  }
  return (
    remedies.join('\n') ||
    'No setting gives frames of that size for this data set: it was trained on another.'
  );
}

/** Whether frames of another size leave a map of the same size after pooling. */
function takesAlike(
  { layers = 0, channels, tau }: NetworkConfig,
  state: State,
  [height, width]: readonly [number, number],
): boolean {
  const features = state.get('fc.2.weight')?.shape[1];
  const scale = 2 ** layers;
  return (
    tau.per === 'layer' && Math.floor(height / scale) * Math.floor(width / scale) * channels === features
  );
}

/**
 * Refuses a state with NaN or infinite values: its neurons would stay silent, and the accuracy would look like any other.
 *
 * @throws {ReproError} `state-broken` naming the tensors
 */
function refuseBrokenState(state: State, where: string): void {
  const broken = findBrokenTensors(state);
  if (broken.length === 0) return;
  throw new ReproError(
    'state-broken',
    `${listNames(broken)}: some values are NaN or infinite, so the network’s output would be meaningless.`,
    { where, fix: 'Use a state from before its training diverged.' },
  );
}
