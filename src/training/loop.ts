import { ReproError } from '../base/errors.ts';
import { nextTurn } from '../base/next-turn.ts';
import { ShapeError, type State } from '../formats/tensor.ts';
import { StepAbortedError } from '../network/engines/engine.ts';
import { initialState } from '../network/initialise.ts';
import type { NetworkSpec } from '../network/spec.ts';
import { TorchRandom } from '../network/torch-random.ts';
import { COMPAT_DEFAULTS } from '../results/thesis/compat.ts';
import type { Checkpoint } from './checkpoint.ts';
import { runEpoch } from './epoch.ts';
import {
  describeEpoch,
  type Position,
  reportProgress,
  startPosition,
  type TrainingOutcome,
  type TrainingTask,
  trainingKey,
} from './task.ts';

export type { TrainingOutcome, TrainingTask } from './task.ts';

/** A process killed in an epoch of hours should lose only minutes; a checkpoint takes about a second. */
const DEFAULT_SAVE_MINUTES = 5;

/**
 * Trains a network: each epoch takes all whole batches in a new order, then the test and validation clips.
 * A training that is interrupted at any point and run again with the same task gives the same numbers, to the last bit.
 *
 * @throws {ReproError} `training-diverged` if the loss or, after an epoch, a parameter is NaN or infinite;
 * `training-interrupted` on abort, after saving; `training-batch-too-large` if the clips do not fill a batch; `model-invalid` if
 * a τ is drawn that no neuron can have; `out-of-memory`
 */
export async function trainNetwork(task: TrainingTask): Promise<TrainingOutcome> {
  const { settings, checkpoints, clockMs = () => performance.now() } = task;
  checkBatches(task);
  const key = await trainingKey(task);
  const saved = await checkpoints?.load(key);
  if (saved !== undefined) {
    task.note?.(describeResumption(saved, settings.epochs));
    for (const row of saved.rows) task.log?.(describeEpoch(settings, row));
  }
  const random = new TorchRandom(task.seed);
  random.skip(task.drawsBefore ?? 0);
  const parameters = saved?.parameters ?? drawInitialState(task.spec, random);
  const position: Position = { ...(saved ?? startPosition(task.spec, parameters, random.state())) };
  const session = await task.engine.open(task.spec, parameters, saved?.optimiser);
  const abort = (): void => session.abort?.();
  task.signal?.addEventListener('abort', abort);
  const saveEveryMs = 60_000 * (task.saveEveryMinutes ?? DEFAULT_SAVE_MINUTES);
  let savedAtMs = clockMs();
  const save = async (): Promise<void> => {
    const optimiser = await session.optimiserState();
    await checkpoints?.save({ ...position, key, parameters: await session.state(), optimiser });
    savedAtMs = clockMs();
  };
  const outcome = async (): Promise<TrainingOutcome> => {
    if (position.best === undefined) throw new RangeError('a training has at least one epoch');
    return { rows: position.rows, best: position.best, last: await session.state() };
  };
  try {
    while (position.epoch < settings.epochs) {
      const watch = watchBatches(task, position);
      await runEpoch(task, session, position, async () => {
        await watch();
        if (clockMs() - savedAtMs >= saveEveryMs) await save();
      });
      reportProgress(task, position, 0);
      await save();
      if (task.onEpoch !== undefined && position.best !== undefined) await task.onEpoch(await outcome());
    }
    return await outcome();
  } catch (error) {
    const stopped =
      error instanceof StepAbortedError ? interrupted(position, task.signal?.reason ?? error) : error;
    if (stopped instanceof ReproError && stopped.code === 'training-interrupted') await save();
    throw stopped;
  } finally {
    task.signal?.removeEventListener('abort', abort);
    session.dispose();
  }
}

/**
 * `initialState`, with an error for the person who configured the network.
 *
 * @throws {ReproError} `model-invalid` if a τ is drawn that no neuron can have
 */
function drawInitialState(spec: NetworkSpec, random: TorchRandom): State {
  try {
    return initialState(spec, random);
  } catch (cause) {
    if (!(cause instanceof ShapeError)) throw cause;
    throw new ReproError('model-invalid', `${cause.message}.`, {
      fix: 'Lower `train.network.tau.std`, or raise `train.network.tau.mean`.',
      cause,
    });
  }
}

function checkBatches({ settings: { batchSize }, split, compat = COMPAT_DEFAULTS }: TrainingTask): void {
  if (split.train.length < batchSize) {
    throw new ReproError(
      'training-batch-too-large',
      `The batch size is ${batchSize}, but there are only ${split.train.length} training clips.`,
      { fix: 'Lower `train.batchSize`, or use more recordings.' },
    );
  }
  if (compat.validation === 'shuffled-drop-last' && split.validation.length < batchSize) {
    throw new ReproError(
      'training-batch-too-large',
      `compat.validation: shuffled-drop-last validates on whole batches only. The batch size is ${batchSize}, ` +
        `but there are only ${split.validation.length} validation clips.`,
      {
        fix: 'Lower `train.batchSize`, raise `train.validationShare`, or validate on all clips (`compat.validation: all`).',
      },
    );
  }
}

function describeResumption({ epoch, batch }: Checkpoint, epochs: number): string {
  if (epoch >= epochs) return `All ${epoch} epochs are already trained.`;
  const place = `epoch ${epoch + 1} of ${epochs}`;
  if (batch === 0) return `Resuming at ${place}.`;
  return `Resuming ${place} after ${batch} ${batch === 1 ? 'batch' : 'batches'}.`;
}

/** Returns a function to call before each remaining batch of an epoch: it reports progress and checks for an abort. */
function watchBatches(task: TrainingTask, position: Position): () => Promise<void> {
  let ahead = position.batch; // batches of this epoch that are already done
  return async () => {
    // An engine may compute without ever returning to the event loop, where signals arrive.
    await nextTurn();
    if (task.signal?.aborted) throw interrupted(position, task.signal.reason);
    reportProgress(task, position, ahead);
    ahead += 1;
  };
}

function interrupted(position: Position, cause: unknown): ReproError {
  return new ReproError('training-interrupted', `Interrupted in epoch ${position.epoch + 1}.`, {
    fix: 'Run it again to resume.',
    cause,
  });
}
