import type { State } from '../../formats/tensor.ts';
import type { Engine } from '../../network/engines/engine.ts';
import type { ForwardNetwork } from '../../network/forward.ts';
import { mixSeed, TorchRandom } from '../../network/torch-random.ts';
import { COMPAT_DEFAULTS } from '../../results/thesis/compat.ts';
import { clipsOfArray, type LabelledClips } from '../../training/clip-source.ts';
import { runEpoch } from '../../training/epoch.ts';
import { evaluateClips } from '../../training/evaluation.ts';
import { scoringOf } from '../../training/scores.ts';
import { startPosition, type TrainingTask } from '../../training/task.ts';
import { tauStatistics } from '../../training/time-constants.ts';
import type { EmbeddedFrames, EmbeddedModel, TrainingSetting } from './payload.ts';

/** Any number; with it, the same clicks give the same network. */
const SEED = 1;

export interface PageTrainingTask {
  readonly epochs: number;
  /** Trained in the page before, so that going on draws other batches. */
  readonly epochsBefore: number;
  readonly settings: TrainingSetting & { readonly lambda: EmbeddedModel['regulariseTau'] };
  readonly training: readonly LabelledFrames[];
  readonly heldOut: readonly LabelledFrames[];
  /** T of all clips. */
  readonly clipSteps: number;
}

export interface LabelledFrames {
  readonly frames: EmbeddedFrames;
  readonly label: number;
}

export interface PageTrainingProgress {
  /** Epochs so far, with those of before. */
  readonly epoch: number;
  /** Mean over the batches of the last epoch; null before the first. */
  readonly loss: number | null;
  /** Held-out clips that are right. */
  readonly correct: number;
  /** Mean τ of each spiking layer, in steps. */
  readonly tau: readonly number[];
  readonly state: State;
}

/**
 * Trains a network on, at a constant learning rate. Adam starts without moments. The first progress is that of the untouched network.
 *
 * @throws {ReproError} `out-of-memory`, `training-diverged`
 */
export async function trainFurther(
  engine: Engine,
  { spec, state }: Pick<ForwardNetwork, 'spec' | 'state'>,
  { epochs, epochsBefore, clipSteps, ...given }: PageTrainingTask,
  tell: (progress: PageTrainingProgress) => void,
): Promise<void> {
  const { regularise, loss, lambda, ...rates } = given.settings;
  const [train, test] = [given.training, given.heldOut].map(
    (clips): LabelledClips => ({
      source: clipsOfArray([clipSteps, ...spec.input], 'uint32', joinFrames(clips)),
      labels: Int32Array.from(clips, ({ label }) => label),
    }),
  ) as [LabelledClips, LabelledClips];
  const last = epochsBefore + epochs;
  const batchSize = Math.min(rates.batchSize, train.labels.length);
  const compat = { ...COMPAT_DEFAULTS, regularise, loss, selection: 'last' } as const;
  const testRows = test.labels.map((_, row) => row);
  const task: TrainingTask = {
    ...{ engine, spec, seed: SEED, compat, train, test, testRows },
    settings: {
      ...{ ...rates, batchSize, regulariseTau: lambda, epochs: last },
      ...{ cosineHalfPeriod: Number.POSITIVE_INFINITY, testEvery: 1, validationShare: 0 },
    },
    split: { train: train.labels.map((_, row) => row), validation: new Int32Array() },
  };
  const random = new TorchRandom(mixSeed(SEED, epochsBefore)).state();
  const position = { ...startPosition(spec, state, random), epoch: epochsBefore };
  const session = await engine.open(spec, state);
  try {
    const { score } = await evaluateClips(session, test, testRows, {
      ...{ scoring: scoringOf(spec, compat), batchSize },
    });
    const tau = tauStatistics(spec, state, state).map(({ tauMean }) => tauMean);
    tell({ epoch: epochsBefore, loss: null, correct: score.correct, tau, state });
    while (position.epoch < last) {
      await runEpoch(task, session, position, async () => {});
      const row = position.rows.at(-1)!;
      tell({
        ...{ epoch: position.epoch, loss: row.train.loss, state: await session.state() },
        correct: Math.round(row.test!.accuracy * testRows.length),
        tau: row.layers.map(({ tauMean }) => tauMean),
      });
    }
  } finally {
    session.dispose();
  }
}

function joinFrames(clips: readonly LabelledFrames[]): Uint32Array<ArrayBuffer> {
  const size = clips[0]?.frames.length ?? 0;
  const joined = new Uint32Array(clips.length * size);
  for (const [clip, { frames }] of clips.entries()) joined.set(frames, clip * size);
  return joined;
}
