import { ReproError } from '../base/errors.ts';
import { nextTurn } from '../base/next-turn.ts';
import { type EvaluationSession, StepAbortedError } from '../network/engines/engine.ts';
import type { CachedClip } from '../results/clip-index.ts';
import type { FrameOrder, Score } from '../results/evaluation-file.ts';
import { type ClipSource, type LabelledClips, readAhead, reorderFrames } from './clip-source.ts';
import { type FrameCache, labelsOf } from './frame-cache.ts';
import { countCorrectByStep, predictClasses, type Scoring, scoreClips } from './scores.ts';

/** Clips of a batch in evaluation, unless `evaluate.batchSize` of the profile says otherwise; schemas/profile.schema.json says the same. */
export const EVALUATION_BATCH = 16;

/** A network's results for some clips, in the order in which they were requested. */
export interface Evaluation {
  /** Firing rates, [clips, classes]. */
  readonly rates: Float32Array;
  /** The class that each clip was taken for. */
  readonly predicted: Int32Array;
  readonly labels: Int32Array;
  readonly score: Score;
  /** Clips whose class has the most votes up to each time step, [T]. */
  readonly correctByStep: readonly number[];
  /** The share of neurons that spike per step, one number per spiking layer: the mean over the clips. */
  readonly spikeRates: readonly number[];
  /** Effective synaptic operations over all clips, one number per convolution and linear layer; undefined if the engine does not count. */
  readonly operations: readonly number[] | undefined;
}

interface EvaluationOptions {
  readonly scoring: Scoring;
  readonly batchSize: number;
  /** Called before each batch; throws to stop. */
  readonly beforeBatch?: () => Promise<void>;
  /** Called with the number of clips in the batch. */
  readonly afterBatch?: (clips: number) => void;
}

/** Runs a network in evaluation mode over `rows` of the clips; the last batch may be smaller. */
export async function evaluateClips(
  session: EvaluationSession,
  clips: LabelledClips,
  rows: Int32Array,
  { scoring, batchSize, beforeBatch, afterBatch }: EvaluationOptions,
): Promise<Evaluation> {
  const { classes } = scoring;
  const rates = new Float32Array(rows.length * classes);
  const batches = Math.ceil(rows.length / batchSize);
  const reading = readAhead(0, batches, (batch) =>
    clips.source.read(rows.subarray(batch * batchSize, (batch + 1) * batchSize)),
  );
  let done = 0;
  let outputs = new Float32Array(); // of a size that the first batch tells
  let spikes: readonly number[] = [];
  let operations: readonly number[] | undefined;
  for await (const frames of reading) {
    await beforeBatch?.();
    const forward = await session.evaluate(frames);
    rates.set(forward.rates, done * classes);
    const perClip = forward.outputs.length / frames.shape[0];
    if (done === 0) outputs = new Float32Array(rows.length * perClip);
    outputs.set(forward.outputs, done * perClip);
    // The last batch may be smaller, so clips are counted, not batches.
    spikes = forward.spikeRates.map((rate, layer) => (spikes[layer] ?? 0) + rate * frames.shape[0]);
    operations = forward.operations?.map((count, layer) => (operations?.[layer] ?? 0) + count);
    done += frames.shape[0];
    afterBatch?.(frames.shape[0]);
  }
  const labels = rows.map((row) => clips.labels[row]!);
  const spikeRates = spikes.map((sum) => sum / done);
  const predicted = predictClasses({ rates, outputs }, scoring);
  const score = scoreClips({ rates, outputs }, predicted, labels, scoring);
  const correctByStep = countCorrectByStep({ rates, outputs }, labels, scoring);
  return { rates, predicted, labels, score, correctByStep, spikeRates, operations };
}

/**
 * Evaluates with a session, and disposes of it. An abort of `signal` ends the evaluation before its next batch, or in the middle of one
 * if the engine can.
 *
 * @param evaluate given what to call before each batch
 * @throws {ReproError} `evaluation-interrupted`
 */
export async function evaluateUntilAborted<T>(
  session: EvaluationSession,
  signal: AbortSignal,
  evaluate: (beforeBatch: () => Promise<void>) => Promise<T>,
): Promise<T> {
  const abort = (): void => session.abort?.();
  signal.addEventListener('abort', abort);
  try {
    return await evaluate(async () => {
      await nextTurn(); // lets an abort arrive
      if (signal.aborted) throw interrupted(signal.reason);
    });
  } catch (error) {
    throw error instanceof StepAbortedError ? interrupted(signal.reason ?? error) : error;
  } finally {
    signal.removeEventListener('abort', abort);
    session.dispose();
  }
}

function interrupted(cause: unknown): ReproError {
  return new ReproError('evaluation-interrupted', 'Interrupted.', { cause });
}

/** An evaluated split: the rows of its clips in the frame cache, all clips there, and the network's results. */
interface EvaluatedSplit {
  readonly rows: Int32Array;
  readonly clips: readonly CachedClip[];
  readonly evaluation: Evaluation;
}

export interface EvaluatedSplits {
  readonly test: EvaluatedSplit;
  /** Null if no clips are held back. */
  readonly validation: EvaluatedSplit | null;
  /** The test clips with their frames in other orders. */
  readonly orders: Readonly<Partial<Record<FrameOrder, Score>>>;
}

interface SplitsOptions extends Omit<EvaluationOptions, 'afterBatch'> {
  readonly orders: readonly FrameOrder[];
  /** Called after each batch with the number of clips so far and in all. */
  readonly onProgress: (done: number, total: number) => void;
  readonly warn: (text: string) => void;
}

/**
 * Runs a network over the test clips, the validation clips, and the test clips in other orders.
 *
 * @param validationRows of `train`; may be empty
 */
export async function evaluateSplits(
  session: EvaluationSession,
  { index, train, test, rows: { test: testRows } }: FrameCache,
  validationRows: Int32Array,
  { onProgress, warn, ...options }: SplitsOptions,
): Promise<EvaluatedSplits> {
  const { splits, frames } = index;
  const others = frames.splitBy === null ? [] : options.orders;
  if (others.length < options.orders.length)
    warn('evaluate.orders has no effect: a still image has one frame, so there is no order to change');
  const total = (1 + others.length) * testRows.length + validationRows.length;
  let done = 0;
  const evaluate = (source: ClipSource, clips: readonly CachedClip[], rows: Int32Array) =>
    evaluateClips(session, { source, labels: labelsOf(clips) }, rows, {
      ...options,
      afterBatch: (count) => {
        done += count;
        onProgress(done, total);
      },
    });
  const tested = await evaluate(test, splits.test, testRows);
  const validated = validationRows.length === 0 ? null : await evaluate(train, splits.train, validationRows);
  const orders: Partial<Record<FrameOrder, Score>> = {};
  for (const order of others)
    orders[order] = (await evaluate(reorderFrames(test, order), splits.test, testRows)).score;
  return {
    test: { rows: testRows, clips: splits.test, evaluation: tested },
    validation: validated && { rows: validationRows, clips: splits.train, evaluation: validated },
    orders,
  };
}
