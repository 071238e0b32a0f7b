import { describe, expect, it } from 'vitest';
import type { State, Tensor } from '../../src/formats/tensor.ts';
import type { Engine, Hyperparameters, TrainingBatch } from '../../src/network/engines/engine.ts';
import { createCpuEngine } from '../../src/network/engines/tfjs/engine.ts';
import { initialState } from '../../src/network/initialise.ts';
import { buildNetwork } from '../../src/network/networks.ts';
import { mixSeed, TorchRandom } from '../../src/network/torch-random.ts';
import type { ClipIndex } from '../../src/results/clip-index.ts';
import { TAU_CHANGES, type TauChange } from '../../src/results/evaluation-file.ts';
import { evaluateClips } from '../../src/training/evaluation.ts';
import { scoringOf } from '../../src/training/scores.ts';
import { changeTaus, estimateStatistics, evaluateTaus } from '../../src/training/tau-changes.ts';
import { builds, livelyState, nativeEngine } from '../native/support.ts';
import { memorySource } from '../support/memory-source.ts';
import { fakeEngine } from './fake-engine.ts';
import { smallNetwork, smallTask } from './small-task.ts';
import '../support/all-close.ts';

const { per: _, ...spread } = smallNetwork.tau;
const specOf = (per: 'layer' | 'channel' | 'neuron') =>
  buildNetwork({ ...smallNetwork, hidden: 8, tau: { per, ...spread } });
const spec = specOf('neuron');
const state = initialState(spec, 1);
const W = ['conv.2.w', 'fc.3.w', 'fc.6.w'];

/** Of a layer, as plain numbers. */
const valuesOf = (from: State | null, name: string) => Array.from(from!.get(name)!.data, Number);
const sorted = (values: readonly number[]) => [...values].sort((a, b) => a - b);

function withLogits(taus: readonly number[]): State {
  const data = Float32Array.from(taus, (tau) => -Math.log(tau - 1));
  return new Map([...state, ['fc.3.w', { dtype: 'F32', shape: [1, taus.length], data } satisfies Tensor]]);
}

describe('a change of τ', () => {
  it.each(TAU_CHANGES)(
    '%s changes nothing but τ and a gain that it keeps, in each layer that has several, and not the given state',
    (change) => {
      const before = structuredClone(state);
      const changed = changeTaus(spec, state, change, 2020);
      expect(state).toEqual(before);
      const differing = [...state.keys()].filter(
        (name) => valuesOf(changed, name).join() !== valuesOf(state, name).join(),
      );
      // Linear layers have no maps to permute within; the neurons of a map share their weights, so they cannot keep their gain.
      const expected =
        change === 'permuted-in-channel'
          ? ['conv.2.w']
          : change === 'permuted-gain-kept'
            ? ['fc.2.weight', 'fc.3.w', 'fc.5.weight', 'fc.6.w']
            : W;
      expect(differing).toEqual(expected);
      expect([...changed!.keys()]).toEqual([...state.keys()]);
      for (const name of W) expect(changed!.get(name)!.shape).toEqual(state.get(name)!.shape);
    },
  );

  it('gives every neuron the mean of τ, not of w', () => {
    const changed = changeTaus(spec, withLogits([1.5, 2, 5.5]), 'layer-mean', 1);
    // The mean τ is 3: w = −ln 2.
    expect(valuesOf(changed, 'fc.3.w')).toEqual(new Array(3).fill(Math.fround(-Math.log(2))));
  });

  it('permutes τ within its layer, or within each map of it', () => {
    const [permuted, inMaps] = (['permuted', 'permuted-in-channel'] as const).map((change) =>
      changeTaus(spec, state, change, 2020),
    );
    for (const name of W) expect(sorted(valuesOf(permuted!, name))).toEqual(sorted(valuesOf(state, name)));
    const maps = (from: State | null) => {
      const all = valuesOf(from, 'conv.2.w');
      return [all.slice(0, 16), all.slice(16)].map(sorted);
    };
    expect(maps(inMaps!)).toEqual(maps(state));
    expect(maps(permuted!)).not.toEqual(maps(state));
  });

  it('keeps the gain of each neuron, weight over τ, while τ is permuted as without', () => {
    const permuted = changeTaus(spec, state, 'permuted', 2020);
    const kept = changeTaus(spec, state, 'permuted-gain-kept', 2020);
    const gains = (from: State | null) => {
      const taus = valuesOf(from, 'fc.3.w').map((w) => 1 + Math.exp(-w));
      const weights = valuesOf(from, 'fc.2.weight');
      return weights.map((weight, at) => weight / taus[Math.floor((at * taus.length) / weights.length)]!);
    };
    expect(valuesOf(kept, 'fc.3.w')).toEqual(valuesOf(permuted, 'fc.3.w'));
    expect(gains(kept)).toBeAllclose(gains(state), { relative: 1e-6 });
    expect(gains(permuted)).not.toBeAllclose(gains(state), { relative: 1e-2 });
  });

  it('keeps the gain of τ per channel by the scale and shift of batch norm', () => {
    const channels = specOf('channel');
    const learned = initialState(channels, 1);
    const kept = changeTaus(channels, learned, 'permuted-gain-kept', 2020);
    const tausOf = (from: State | null) => valuesOf(from, 'conv.2.w').map((w) => 1 + Math.exp(-w));
    const expected = tausOf(kept).map((tau, channel) => tau / tausOf(learned)[channel]!);
    expect(expected).not.toEqual(expected.map(() => 1));
    expect(valuesOf(kept, 'conv.1.weight')).toBeAllclose(expected, { relative: 1e-6 });
  });

  it('jitters τ − 1 by exp(0.1 z), with z of the seed and the layer', () => {
    const changed = changeTaus(spec, withLogits([2, 3]), 'jittered', 2020);
    const z = new TorchRandom(mixSeed(2020, 0x74617573, 1)).normals(2);
    const taus = valuesOf(changed, 'fc.3.w').map((w) => 1 + Math.exp(-w));
    expect(taus[0]).toBeCloseTo(1 + Math.exp(0.1 * z[0]!), 6);
    expect(taus[1]).toBeCloseTo(1 + 2 * Math.exp(0.1 * z[1]!), 6);
  });

  it('draws the same for the same seed, and something else for another', () => {
    for (const change of ['permuted', 'permuted-in-channel', 'jittered'] as const) {
      const draw = (seed: number) => valuesOf(changeTaus(spec, state, change, seed), 'conv.2.w');
      expect(draw(2020)).toEqual(draw(2020));
      expect(draw(2021)).not.toEqual(draw(2020));
    }
  });

  it('is none without several τ in a layer, or within a map', () => {
    const layer = specOf('layer');
    for (const change of TAU_CHANGES)
      expect(changeTaus(layer, initialState(layer, 1), change, 2020)).toBeNull();
    const channel = specOf('channel');
    const found = TAU_CHANGES.filter((change) => changeTaus(channel, initialState(channel, 1), change, 2020));
    expect(found).toEqual(['layer-mean', 'permuted', 'permuted-gain-kept', 'jittered'] satisfies TauChange[]);
  });
});

const clip = { recording: 'made up', user: null, light: null, trial: null, startUs: 0, endUs: 0, events: 1 };
const { train, test, testRows } = smallTask();
const index: ClipIndex = {
  ...{ dataset: 'nmnist', simulated: false, classes: ['0', '1', '2'], sensor: { height: 4, width: 4 } },
  frames: {
    ...{
      steps: 2,
      splitBy: 'number',
      downsample: 1,
      height: 4,
      width: 4,
      dtype: 'uint8',
      normalization: null,
    },
  } as const,
  splits: { train: [], test: Array.from(test.labels, (label) => ({ ...clip, class: label })) },
};
const network = {
  ...{ spec, state, seed: 2020, trained: Int32Array.from({ length: 9 }, (_, row) => 3 * row) },
  ...{ trainingBatch: 4, signal: new AbortController().signal },
  frames: {
    index,
    train: train.source,
    test: test.source,
    rows: { train: new Int32Array(), test: testRows },
  },
};

describe('batch norm’s statistics', () => {
  /** A frame of one channel, which the only weight passes on as it is, then batch norm. */
  const tiny = buildNetwork({ ...smallNetwork, input: [1, 2, 2], channels: 1, hidden: 2 });
  const conv = tiny.layers.find((layer) => layer.kind === 'conv')!;
  const norm = tiny.layers.find((layer) => layer.kind === 'batch-norm')!;
  const weight = {
    dtype: 'F32' as const,
    shape: [1, 1, 3, 3],
    data: Float32Array.of(0, 0, 0, 0, 1, 0, 0, 0, 0),
  };
  const passing: State = new Map([...initialState(tiny, 1), [`${conv.name}.weight`, weight]]);
  // Five clips of two steps: counts c, c, c, 3c, and then four times as many.
  const countsOf = (clip: number, step: number) =>
    [1, 1, 1, 3].map((count) => count * (clip + 1) * 4 ** step);
  const clips = memorySource(
    Uint8Array.from([0, 1, 2, 3, 4].flatMap((clip) => [...countsOf(clip, 0), ...countsOf(clip, 1)])),
    5,
    [2, 1, 2, 2],
  );

  it.each(['tfjs', ...builds])(
    'are the means over whole batches and their steps of what each step has: %s',
    async (build) => {
      const engine = build === 'tfjs' ? createCpuEngine('test') : nativeEngine(build);
      const read: number[][] = [];
      const readRows = (rows: Int32Array) => {
        read.push([...rows]);
        return clips.read(rows);
      };
      const source = { ...clips, read: readRows };
      const estimated = await estimateStatistics(engine, {
        ...{
          ...network,
          spec: tiny,
          state: passing,
          trainingBatch: 2,
          trained: Int32Array.of(0, 1, 2, 3, 4),
        },
        frames: { ...network.frames, train: source },
      });
      // Two batches, of the five clips in random order.
      expect(read.map(({ length }) => length)).toEqual([2, 2]);
      expect(new Set(read.flat()).size).toBe(4);
      expect(read.flat()).not.toEqual(sorted(read.flat()));
      const batches = read.flatMap((rows) =>
        [0, 1].map((step) => rows.flatMap((row) => countsOf(row, step))),
      );
      const average = (values: readonly number[]) =>
        values.reduce((sum, one) => sum + one, 0) / values.length;
      const variances = batches.map((values) => {
        const mean = average(values);
        return (average(values.map((one) => (one - mean) ** 2)) * 8) / 7;
      });
      expect(valuesOf(estimated, `${norm.name}.running_mean`)[0]).toBeCloseTo(
        average(batches.map(average)),
        2,
      );
      expect(valuesOf(estimated, `${norm.name}.running_var`)[0]).toBeCloseTo(average(variances), 1);
      for (const [name, tensor] of passing)
        if (!/running_(mean|var)$/.test(name)) expect(estimated.get(name)).toEqual(tensor);
    },
  );

  it.each(builds)(
    'of a still image are of one step before its repetition, and of T after it: %s',
    async (build) => {
      const images = { ...smallNetwork, input: [1, 28, 28] as const, architecture: 'mnist' as const };
      const { layers: _, ...options } = { ...images, steps: 4, channels: 1, hidden: 2 };
      const still = buildNetwork(options);
      const identity = Float32Array.of(0, 0, 0, 0, 1, 0, 0, 0, 0);
      const of = (value: number): Tensor => {
        return { dtype: 'F32', shape: [1], data: Float32Array.of(value) };
      };
      const both = ['static_conv.0', 'conv.2'].map((name) => [
        `${name}.weight`,
        { dtype: 'F32' as const, shape: [1, 1, 3, 3], data: identity },
      ]);
      // The first batch norm passes on 4 everywhere, whatever the image: all neurons spike at every step, so the second one gets ones.
      const given: State = new Map([
        ...initialState(still, 1),
        ...(both as [string, Tensor][]),
        ['static_conv.1.weight', of(0)],
        ['static_conv.1.bias', of(4)],
      ]);
      const source = memorySource(new Uint8Array(2 * 784).fill(3), 2, [1, 1, 28, 28]);
      const estimated = await estimateStatistics(nativeEngine(build), {
        ...{ ...network, spec: still, state: given, trainingBatch: 1, trained: Int32Array.of(0, 1) },
        frames: { ...network.frames, train: source },
      });
      const means = ['static_conv.1', 'conv.3'].map((name) => valuesOf(estimated, `${name}.running_mean`)[0]);
      expect(means).toEqual([expect.closeTo(3, 3), expect.closeTo(1, 3)]);
    },
  );

  it('cost no step in a network without batch norm', async () => {
    const linear = buildNetwork({ ...smallNetwork, layers: 0 });
    const engine = fakeEngine({ onStep: () => expect.unreachable() });
    const given = initialState(linear, 1);
    expect(await estimateStatistics(engine, { ...network, spec: linear, state: given })).toBe(given);
  });

  it('are estimated without dropout, and without learning anything', async () => {
    const seen: [TrainingBatch, Hyperparameters][] = [];
    const onStep = (_: number, ...step: [TrainingBatch, Hyperparameters]) => seen.push(step);
    await estimateStatistics(fakeEngine({ onStep }), network);
    expect(seen).toHaveLength(2);
    for (const [{ dropoutMasks }, hyperparameters] of seen) {
      expect(dropoutMasks.length).toBeGreaterThan(0);
      expect(dropoutMasks.every((mask) => mask.every((factor) => factor === 1))).toBe(true);
      expect(hyperparameters).toEqual({ learningRate: 0, regulariseTau: 0 });
    }
  });

  it.each(builds)('are all that a step with learning rate 0 changes: %s', async (build) => {
    const session = await nativeEngine(build).open(spec, livelyState(spec));
    const before = await session.state();
    const frames = await train.source.read(Int32Array.of(0, 1));
    const dropoutMasks = spec.layers.flatMap((layer) =>
      layer.kind === 'dropout' ? [new Float32Array(2 * layer.features).fill(1)] : [],
    );
    const batch = { frames, labels: Int32Array.of(0, 1), dropoutMasks };
    await session.trainStep(batch, { learningRate: 0, regulariseTau: 0 });
    const after = await session.state();
    const differing = [...before].filter(([name, { data }]) => data.join() !== after.get(name)!.data.join());
    session.dispose();
    expect(differing.map(([name]) => name)).toEqual([
      ...['conv.1.running_mean', 'conv.1.running_var', 'conv.1.num_batches_tracked'],
    ]);
  });
});

describe('an evaluation with changes of τ', () => {
  const scoring = scoringOf(spec);
  const evaluate = (engine: Engine, changes: readonly TauChange[], over: Partial<typeof network> = {}) => {
    const progress: number[][] = [];
    const onProgress = (done: number, total: number) => void progress.push([done, total]);
    const options = { ...network, ...over, scoring, batchSize: 7, onProgress };
    return evaluateTaus(engine, changes, options).then((tau) => ({ tau, progress }));
  };

  it('runs each network once where there are no statistics to estimate', async () => {
    const linear = buildNetwork({ ...smallNetwork, layers: 0 });
    const engine = fakeEngine({ onStep: () => expect.unreachable() });
    const { tau, progress } = await evaluate(engine, ['jittered'], {
      ...{ spec: linear, state: initialState(linear, 1) },
    });
    expect(progress.at(-1)).toEqual([2 * testRows.length, 2 * testRows.length]);
    expect(tau.jittered!.again).toEqual(tau.jittered!.asTrained);
  });

  it('has the network with τ as learned, too, which is as accurate as in the plain evaluation', async () => {
    const { tau, progress } = await evaluate(fakeEngine(), ['jittered']);
    expect(Object.keys(tau)).toEqual(['unchanged', 'jittered']);
    const session = await fakeEngine().open(spec, state);
    const plain = await evaluateClips(session, test, testRows, { scoring, batchSize: 7 });
    const { wrong, ...score } = tau.unchanged!.asTrained;
    expect(score).toEqual(plain.score);
    expect(wrong).toEqual([...testRows].filter((row) => plain.predicted[row] !== test.labels[row]));
    // Each of both: seven test clips twice, two batches of four training clips once.
    expect(progress.at(-1)).toEqual([44, 44]);
  });

  it('is empty if no layer has several τ', async () => {
    const layer = specOf('layer');
    const over = { spec: layer, state: initialState(layer, 1) };
    expect((await evaluate(fakeEngine(), TAU_CHANGES, over)).tau).toEqual({});
  });

  it('ends with an abort', async () => {
    const signal = AbortSignal.abort();
    const code = 'evaluation-interrupted';
    await expect(evaluate(fakeEngine(), ['permuted'], { signal })).rejects.toMatchObject({ code });
  });

  it('gives the same answers in WebAssembly as by the native engine', async () => {
    const lively = { state: livelyState(spec) };
    const found = [];
    for (const build of builds) {
      const { tau } = await evaluate(nativeEngine(build), TAU_CHANGES, lively);
      found.push(Object.entries(tau).map(([name, one]) => [name, one.asTrained.wrong, one.again.wrong]));
    }
    expect(found[0]).toHaveLength(6);
    for (const other of found) expect(other).toEqual(found[0]);
  });
});
