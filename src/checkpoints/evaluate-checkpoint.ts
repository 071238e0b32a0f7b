import type { Engine } from '../engines/engine.ts';
import { ReproError } from '../errors.ts';
import type { Score } from '../results/evaluation-file.ts';
import { buildNetwork, type NetworkConfig } from '../snn/networks.ts';
import { wilsonInterval } from '../stats/proportions.ts';
import { COMPAT_DEFAULTS } from '../thesis/compat.ts';
import { evaluateClips } from '../training/evaluation.ts';
import { type FrameCache, labelsOf, openFrameCache } from '../training/frame-cache.ts';
import { evaluateUntilAborted } from '../training/interruptible-evaluation.ts';
import { type ScoringCompat, scoringOf } from '../training/scores.ts';
import { refuseBrokenState } from './finite-state.ts';
import { checkFramesFit } from './frames-fit.ts';
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
