import { ReproError } from '../../base/errors.ts';
import { findBrokenTensors, type State } from '../../formats/tensor.ts';
import type { EvaluationSession } from '../../network/engines/engine.ts';
import { buildNetwork, type NetworkConfig } from '../../network/networks.ts';
import type { NetworkSpec } from '../../network/spec.ts';
import type { ClipIndex } from '../../results/clip-index.ts';
import type { Score } from '../../results/evaluation-file.ts';
import type { TrainedOrder } from '../../results/run-file.ts';
import { COMPAT_DEFAULTS } from '../../results/thesis/compat.ts';
import { evaluateClips, evaluateUntilAborted } from '../../training/evaluation.ts';
import { labelsOf } from '../../training/frame-cache.ts';
import { openFrameCache } from '../../training/open-frames.ts';
import { type ScoringCompat, scoringOf } from '../../training/scores.ts';
import { wilsonInterval } from '../../verdicts/stats/proportions.ts';
import { quoteNames } from './import-checkpoint.ts';
import type { Assumption } from './infer-network.ts';
import type { TrainedOn } from './self-description.ts';
import { refuseOtherFrames, warnOfSimulated } from './self-description.ts';

/** A state, and what is known about it. */
export interface LoadedCheckpoint {
  readonly state: State;
  /** Null if unknown. */
  readonly network: NetworkConfig | null;
  /** Why the network is unknown. */
  readonly whyUnknown?: string | undefined;
  readonly trainedOn: TrainedOn;
  /** The switches of its training that decide how clips are scored; undefined if unknown. */
  readonly compat?: Partial<ScoringCompat>;
  /** What it is, for people: `baseline, seed 2020, best epoch 7`. */
  readonly source: string;
  /** Short, for the name of a file made from it: `baseline-2020-best`. */
  readonly name: string;
  readonly assumptions: readonly Assumption[];
  readonly warnings: readonly string[];
}

export interface CheckpointEvaluation extends Score {
  /** 95 % Wilson interval of the accuracy. */
  readonly interval: { readonly low: number; readonly high: number };
  readonly dataset: string;
  readonly simulated: boolean;
  /** T of the frames. */
  readonly steps: number;
  /** As in its training; absent if as recorded. */
  readonly frameOrder?: TrainedOrder | undefined;
  readonly warnings: readonly string[];
}

/**
 * Evaluates a state on the test clips of a frame cache: with folds of users, on those of the people whom its training tested.
 *
 * @throws {ReproError} `frames-differ` if the frames were made differently from those of its training, `frames-misfit` if the
 *   network cannot take such frames, `evaluation-interrupted`, and those of `networkToEvaluate`
 */
export async function evaluateCheckpoint(
  checkpoint: LoadedCheckpoint,
  {
    engine,
    framesFolder,
    otherFrames = false,
    batchSize,
    compat,
    signal,
    progress,
  }: {
    readonly engine: { open(spec: NetworkSpec, state: State): Promise<EvaluationSession> };
    readonly framesFolder: string;
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
  const network = networkToEvaluate(checkpoint);
  const frames = await openFrameCache(
    framesFolder,
    ({ dataset }) => (dataset === trainedOn.dataset ? trainedOn.testUsers : undefined),
    trainedOn.frameOrder,
  );
  try {
    const { index, rows } = frames;
    // First, as no setting makes one kind of frames of the other.
    checkKind(network, index, source);
    const differences = refuseOtherFrames(trainedOn, index, { source, allowOther: otherFrames });
    checkFramesFit(network, index, frames.input);
    const clips = index.splits.test;
    const spec = buildNetwork(network);
    const scoring = scoringOf(spec, { ...COMPAT_DEFAULTS, ...checkpoint.compat, ...compat });
    const session = await engine.open(spec, state);
    let done = 0;
    const { score } = await evaluateUntilAborted(session, signal, (beforeBatch) =>
      evaluateClips(session, { source: frames.test, labels: labelsOf(clips) }, rows.test, {
        scoring,
        batchSize,
        beforeBatch,
        afterBatch: (count) => {
          done += count;
          progress(done, rows.test.length);
        },
      }),
    );
    return {
      ...score,
      interval: wilsonInterval(score.correct, score.clips),
      dataset: index.dataset,
      simulated: index.simulated,
      steps: index.frames.steps,
      frameOrder: trainedOn.frameOrder,
      warnings: [...differences, ...warnOfSimulated(trainedOn, index)],
    };
  } finally {
    await frames.close();
  }
}

const otherProfile = 'Choose a profile with frames like those of its training, with --profile.';

/** Refuses still images for networks that see a sequence of frames, and the other way round. */
function checkKind(
  { architecture = 'event-frames' }: NetworkConfig,
  { dataset, frames }: ClipIndex,
  where: string,
): void {
  const isStill = frames.splitBy === null;
  if ((architecture === 'event-frames') !== isStill) return;
  const [wanted, found] = isStill
    ? ['sequences of frames', 'still images']
    : [`still images (${architecture})`, 'sequences of frames'];
  const problem = `the network is for ${wanted}, but ${dataset} has ${found} here.`;
  throw new ReproError('frames-misfit', problem, { where, fix: otherProfile });
}

/**
 * The network of a state that can be evaluated.
 *
 * @throws {ReproError} `network-unknown`, or `state-broken` if some values are NaN or infinite
 */
export function networkToEvaluate({ network, state, source, whyUnknown }: LoadedCheckpoint): NetworkConfig {
  if (network === null) {
    const why = whyUnknown === undefined ? '.' : `: ${whyUnknown}`;
    throw new ReproError('network-unknown', `the network of these tensors is unknown${why}`, {
      where: source,
      fix: 'Use the folder of its training, or a file that `./repro export state` or `./repro import` wrote: both describe the network.',
    });
  }
  const broken = findBrokenTensors(state);
  if (broken.length === 0) return network;
  // Its neurons would stay silent, and the accuracy would look like any other.
  throw new ReproError(
    'state-broken',
    `${quoteNames(broken)}: some values are NaN or infinite, so the network’s output would be meaningless.`,
    { where: source, fix: 'Use a state from before its training diverged.' },
  );
}

/**
 * Checks that a network can be shown these frames.
 *
 * @param input [P, H, W] of a frame
 * @throws {ReproError} `frames-misfit` with the setting that would make them fit, if any
 */
export function checkFramesFit(
  { input, classes }: NetworkConfig,
  { dataset, classes: { length }, sensor }: ClipIndex,
  [frameChannels, frameHeight, frameWidth]: readonly [number, number, number],
): void {
  const refuse = (network: string, frames: string, fix: string): never => {
    throw new ReproError('frames-misfit', `the network ${network}, but ${frames}.`, { fix });
  };
  const [channels, height, width] = input;
  if (channels !== frameChannels)
    refuse(`takes frames with ${channels} channels`, `these have ${frameChannels}`, otherProfile);
  if (height !== frameHeight || width !== frameWidth) {
    const factor = sensor.height / height;
    const isFactor = Number.isInteger(factor) && sensor.width / width === factor;
    refuse(
      `takes frames of ${height} x ${width}`,
      `these are ${frameHeight} x ${frameWidth}`,
      isFactor
        ? `Frames that fit: --set frames.downsample=${factor}.`
        : `${otherProfile} If its size was assumed, import it with --input ${frameHeight}x${frameWidth}.`,
    );
  }
  if (classes !== length) refuse(`has ${classes} classes`, `${dataset} has ${length}`, otherProfile);
}
