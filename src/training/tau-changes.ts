import { unreachable } from '../base/errors.ts';
import { countElements, type State } from '../formats/tensor.ts';
import type { Engine } from '../network/engines/engine.ts';
import { scaleInputs } from '../network/gain.ts';
import { logitOfTau, tauOfLogit } from '../network/neurons.ts';
import { dropoutLayers, type NetworkSpec, repeatedSteps, spikingLayers } from '../network/spec.ts';
import { mixSeed, TorchRandom } from '../network/torch-random.ts';
import type { Answered, EvaluationFile, TauChange } from '../results/evaluation-file.ts';
import { readAhead } from './clip-source.ts';
import { evaluateClips, evaluateUntilAborted } from './evaluation.ts';
import { type FrameCache, labelsOf } from './frame-cache.ts';
import { wholeBatches } from './schedule.ts';
import type { Scoring } from './scores.ts';

/** Distinguishes these draws from other streams with the same seed: "taus" in ASCII. */
const TAU_STREAM = 0x74617573;

/** How far `jittered` moves τ: as far as the thesis' initial τ are spread, whose standard deviation is 0.1 around 2. */
const JITTER = 0.1;

/**
 * A state with other time constants in every spiking layer whose neurons or channels have their own; nothing else changes, except weights
 * in `permuted-gain-kept`. Layer means are those of τ, not of w. A permutation within channels is one within each map, so it leaves linear layers and τ per channel as they are.
 * `permuted-gain-kept` permutes as `permuted` does and multiplies each neuron's input weights by τ'/τ, so that its gain stays; layers whose neurons share
 * weights keep their τ. Jitter multiplies τ − 1 by exp(0.1 z), with z standard normal: `w' = w − 0.1 z`.
 *
 * @param seed of the run; each layer has its own stream
 * @returns null if there is nothing to change
 */
export function changeTaus(spec: NetworkSpec, state: State, change: TauChange, seed: number): State | null {
  const changed = new Map(state);
  let isChanged = false;
  for (const [layer, spiking] of spikingLayers(spec).entries()) {
    const { name } = spiking;
    const w = state.get(`${name}.w`);
    if (w?.dtype !== 'F32') continue;
    const size = change === 'permuted-in-channel' ? countElements(w.shape.slice(2)) : w.data.length;
    if (size === 1) continue;
    const random = new TorchRandom(mixSeed(seed, TAU_STREAM, layer));
    const data = changeLogits(w.data, change, size, random);
    if (change === 'permuted-gain-kept') {
      const factors = Array.from(data, (logit, i) => tauOfLogit(logit) / tauOfLogit(w.data[i]!));
      const scaled = scaleInputs(spec, spiking, state, factors);
      if (scaled === undefined) continue;
      for (const [weights, tensor] of scaled) changed.set(weights, tensor);
    }
    changed.set(`${name}.w`, { ...w, data });
    isChanged = true;
  }
  return isChanged ? changed : null;
}

/** @param size of the groups within which logits are permuted */
function changeLogits(logits: Float32Array, change: TauChange, size: number, random: TorchRandom) {
  switch (change) {
    case 'layer-mean': {
      const sum = logits.reduce((total, logit) => total + tauOfLogit(logit), 0);
      return logits.map(() => logitOfTau(sum / logits.length));
    }
    case 'permuted':
    case 'permuted-gain-kept':
    case 'permuted-in-channel': {
      const permuted = logits.slice();
      for (let start = 0; start < logits.length; start += size)
        for (const [to, from] of random.permutation(size).entries())
          permuted[start + to] = logits[start + from]!;
      return permuted;
    }
    case 'jittered': {
      const normals = random.normals(logits.length);
      return logits.map((logit, i) => logit - JITTER * normals[i]!);
    }
    default:
      return unreachable(change);
  }
}

interface TauTask {
  readonly spec: NetworkSpec;
  /** Of the chosen epoch. */
  readonly state: State;
  readonly seed: number;
  readonly frames: Pick<FrameCache, 'index' | 'train' | 'test' | 'rows'>;
  /** Rows of the clips that it was trained on, and how many were in a batch. */
  readonly trained: Int32Array;
  readonly trainingBatch: number;
  readonly signal: AbortSignal;
  /** Of the test clips. */
  readonly scoring: Scoring;
  readonly batchSize: number;
  /** Called after each batch with the number of clips so far and in all. */
  readonly onProgress: (done: number, total: number) => void;
}

type TestKeys = 'scoring' | 'batchSize' | 'onProgress';

/**
 * Runs a network over the test clips with τ as learned and after each change, with batch norm's statistics as trained and estimated again.
 *
 * @returns empty if no change has anything to change
 */
export async function evaluateTaus(
  engine: Engine,
  changes: readonly TauChange[],
  task: TauTask,
): Promise<NonNullable<EvaluationFile['tau']>> {
  const { spec, seed, frames, signal, scoring, batchSize } = task;
  const states = changes.flatMap((change) => {
    const state = changeTaus(spec, task.state, change, seed);
    return state === null ? [] : [[change, state] as const];
  });
  if (states.length === 0) return {};
  const rows = frames.rows.test;
  const clips = { source: frames.test, labels: labelsOf(frames.index.splits.test) };
  const estimatedClips = estimatedFrom(task).length;
  const total = (1 + states.length) * ((estimatedClips > 0 ? 2 : 1) * rows.length + estimatedClips);
  let done = 0;
  const count = (clips: number): void => {
    done += clips;
    task.onProgress(done, total);
  };
  const answer = async (state: State): Promise<Answered> => {
    const session = await engine.open(spec, state);
    return evaluateUntilAborted(session, signal, async (beforeBatch) => {
      const options = { scoring, batchSize, beforeBatch, afterBatch: count };
      const { score, predicted, labels } = await evaluateClips(session, clips, rows, options);
      return { ...score, wrong: [...rows].filter((_, clip) => predicted[clip] !== labels[clip]) };
    });
  };
  const results: [string, Readonly<Record<'asTrained' | 'again', Answered>>][] = [];
  for (const [name, state] of [['unchanged', task.state] as const, ...states]) {
    const asTrained = await answer(state);
    const estimated = await estimateStatistics(engine, { ...task, state }, count);
    // Without batch norm, it is the same network.
    const again = estimated === state ? asTrained : await answer(estimated);
    results.push([name, { asTrained, again }]);
  }
  return Object.fromEntries(results);
}

/** Rows of the clips to estimate statistics from: whole batches, and none without batch norm. */
function estimatedFrom({ spec, seed, trained, trainingBatch }: Omit<TauTask, TestKeys>): Int32Array {
  if (spec.layers.every(({ kind }) => kind !== 'batch-norm')) return new Int32Array();
  // In the order of the split, a batch would have clips of one class.
  const order = new TorchRandom(mixSeed(seed, TAU_STREAM)).permutation(trained.length);
  return wholeBatches(order, trained, trainingBatch);
}

/** So small that all steps count about alike; a power of two, so that 1 − MOMENTUM is exact in single precision. */
const MOMENTUM = 2 ** -13;

/**
 * A state with batch norm's running statistics estimated again: the means, over batches of training clips and time steps, of each step's mean
 * and unbiased variance, in training mode without dropout. Nothing is learned, and nothing is left of the statistics before: they start from 0,
 * and after n updates hold the share 1 − (1 − MOMENTUM)^n of the mean.
 *
 * @see Wu and Johnson 2021 (arXiv 2105.07576), who call it precise batch norm
 */
export async function estimateStatistics(
  engine: Engine,
  task: Omit<TauTask, TestKeys>,
  afterBatch?: (clips: number) => void,
): Promise<State> {
  const { spec, state, frames, trainingBatch: size, signal } = task;
  const rows = estimatedFrom(task);
  if (rows.length === 0) return state;
  const repetition = spec.layers.findIndex(({ kind }) => kind === 'repeat');
  const layers = spec.layers.map((layer) =>
    layer.kind === 'batch-norm' ? { ...layer, momentum: MOMENTUM } : layer,
  );
  // Of a still image, layers before its repetition run once.
  const statistics = layers.flatMap((layer, at) =>
    layer.kind === 'batch-norm'
      ? ['running_mean', 'running_var'].map((name) => ({
          name: `${layer.name}.${name}`,
          isOnce: at < repetition,
        }))
      : [],
  );
  const started = new Map(state);
  for (const { name } of statistics) {
    const tensor = state.get(name)!;
    started.set(name, { ...tensor, data: new Float32Array(tensor.data.length) } as typeof tensor);
  }
  const dropoutMasks = dropoutLayers(spec).map(({ features }) => new Float32Array(size * features).fill(1));
  const labels = new Int32Array(size); // any, as nothing is learned
  const session = await engine.open({ ...spec, layers }, started);
  return evaluateUntilAborted(session, signal, async (beforeBatch) => {
    const batches = rows.length / size;
    const read = (batch: number) => frames.train.read(rows.subarray(batch * size, (batch + 1) * size));
    let steps = 1;
    for await (const shown of readAhead(0, batches, read)) {
      await beforeBatch();
      steps = repeatedSteps(spec) ?? shown.shape[1];
      await session.trainStep({ frames: shown, labels, dropoutMasks }, { learningRate: 0, regulariseTau: 0 });
      afterBatch?.(size);
    }
    const seen = await session.state();
    const estimated = statistics.map(({ name, isOnce }) => {
      const share = 1 - (1 - MOMENTUM) ** (batches * (isOnce ? 1 : steps));
      const data = Float32Array.from([...seen.get(name)!.data], (value) => Number(value) / share);
      return [name, { dtype: 'F32', shape: [data.length], data }] as const;
    });
    return new Map([...state, ...estimated]);
  });
}
