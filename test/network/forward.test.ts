import '../support/all-close.ts';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { buildDescribed, networkShape, resetOf } from '../../src/exchange/parity/network.ts';
import { countElements, ShapeError, type State, type Tensor } from '../../src/formats/tensor.ts';
import {
  type ForwardNetwork,
  prepareNetwork,
  runForward,
  type Trace,
  traceNeuron,
} from '../../src/network/forward.ts';
import { buildNetwork } from '../../src/network/networks.ts';
import { sigmoidSingle } from '../../src/network/single-precision.ts';
import type { NetworkSpec, NeuronSpec } from '../../src/network/spec.ts';
import { caseOf } from '../native/network-cases.ts';
import {
  type BatchOptions,
  Layers,
  livelyState,
  nativeEngine,
  plif,
  randomBatch,
} from '../native/support.ts';
import { goldenCases, loadGolden } from '../support/golden.ts';
import { randomNumbers } from '../support/random.ts';
import { mnistNetwork } from '../support/still-networks.ts';
import { thesisNetwork } from '../support/thesis-network.ts';

const small = { ...thesisNetwork, input: [2, 21, 26], channels: 24, layers: 3, hidden: 30 } as const;

/** What WebAssembly computes for one clip, and the same of `runForward`. */
async function runBoth(spec: NetworkSpec, options?: BatchOptions, state = livelyState(spec)) {
  const { frames } = randomBatch(spec, { steps: 8, ...options, samples: 1 });
  const session = await nativeEngine('wasm').open(spec, state);
  const { rates, outputs, spikeRates, operations } = await session.evaluate(frames);
  session.dispose();
  const trace = runForward(prepareNetwork(spec, state), frames.data, frames.shape[1]);
  return { wanted: { rates, outputs, spikeRates, operations }, found: summarise(trace, spec) };
}

/** A trace in the form of an engine's evaluation. */
function summarise({ steps, layers, outputs, operations }: Trace, spec: NetworkSpec) {
  const vote = spec.layers.at(-1);
  const group = vote?.kind === 'vote' ? vote.group : 1;
  const votes = sumSteps(
    outputs.map((output) => Math.round(output * group)),
    steps,
  );
  return {
    rates: Float32Array.from(votes, (count) => count / (steps * group)),
    outputs,
    spikeRates: layers.map(({ spikes }) => spikes.reduce((sum, spike) => sum + spike, 0) / spikes.length),
    operations: sumSteps(operations, steps),
  };
}

/** @param values [T, n] @returns [n] */
function sumSteps(values: Float32Array | Float64Array, steps: number): number[] {
  const width = values.length / steps;
  const sums = Array.from({ length: width }, () => 0);
  for (const [i, value] of values.entries()) sums[i % width]! += value;
  return sums;
}

describe('runForward and the WebAssembly engine give the same bits', () => {
  it.each([
    'neurons: τ per neuron',
    'neurons: τ per channel',
    'neurons: τ fixed',
    'neurons: reset to another potential, attached',
    'neurons: soft reset',
    'neurons: another threshold',
    'more than one block of channels, each with a τ',
    'windows of 3 x 3',
    'one plane',
    'one sample, one step',
    'frames of 16 bits',
    'normalised frames',
    'no convolution',
    'no convolution, normalised frames',
    'a wide frame, sparse',
    'recurrent: τ per neuron',
    'recurrent: τ per channel',
    'recurrent: reset to another potential, attached',
    'recurrent: soft reset',
    'no batch norm',
  ])('%s', async (name) => {
    const { spec, batch } = caseOf(name);
    const { wanted, found } = await runBoth(spec, batch);
    expect(found).toEqual(wanted);
    expect(Math.min(...found.spikeRates)).toBeGreaterThan(0);
  });

  it.each([0.02, 0.3, 0.9])('one τ per layer, events in a share of %d of the pixels', async (density) => {
    const { wanted, found } = await runBoth(buildNetwork(small), { density });
    expect(found).toEqual(wanted);
    expect(Math.min(...found.spikeRates)).toBeGreaterThan(0.01);
  });

  it('convolutions of more than 64 channels, whose sums come in groups', async () => {
    const { wanted, found } = await runBoth(new Layers([2, 9, 9]).block(140).fire(20).classify());
    expect(found).toEqual(wanted);
  });

  // Sums of tenths are often the threshold but for their rounding, so another order of any sum gives other spikes.
  it.each([
    [
      'τ fixed, rest at −0.3',
      {
        ...plif,
        kind: 'lif',
        tau: { per: 'layer', mean: 3, std: 0 },
        reset: { kind: 'hard', potential: -0.3, detach: true },
      },
    ],
    ['τ per neuron', { ...plif, tau: { per: 'neuron', mean: 2, std: 0 } }],
    ['soft reset', { ...plif, reset: { kind: 'soft', detach: true } }],
  ] as const)('weights that are tenths, %s', async (_, neuron) => {
    const blocks = new Layers([2, 12, 12]).conv(70).neuron(neuron).conv(20).neuron(neuron);
    const spec = blocks.linear(20).neuron(neuron).classify(neuron);
    const state = [...livelyState(spec)].map(([name, tensor]): [string, Tensor] => {
      if (tensor.dtype !== 'F32' || !name.endsWith('.weight')) return [name, tensor];
      return [name, { ...tensor, data: tensor.data.map((w) => Math.round(20 * w) / 10) }];
    });
    const { wanted, found } = await runBoth(spec, { steps: 20, density: 0.15 }, new Map(state));
    expect(found).toEqual(wanted);
    expect(Math.max(...found.spikeRates)).toBeLessThan(0.33);
  });

  it('recurrent weights that are tenths', async () => {
    const neuron: NeuronSpec = { ...plif, tau: { per: 'neuron', mean: 2, std: 0 } };
    const spec = new Layers([2, 5, 5]).linear(90).neuron(neuron, { recurrent: true }).classify(neuron);
    const state = [...livelyState(spec)].map(([name, tensor]): [string, Tensor] =>
      tensor.dtype === 'F32' && name.endsWith('.weight')
        ? [name, { ...tensor, data: tensor.data.map((w) => Math.round(20 * w) / 10) }]
        : [name, tensor],
    );
    const { wanted, found } = await runBoth(spec, { steps: 20, density: 0.15 }, new Map(state));
    expect(found).toEqual(wanted);
    expect(Math.min(...found.operations)).toBeGreaterThan(0);
  });

  it('1/τ, batch norm and neurons, with currents that charge neurons to the threshold but for rounding', async () => {
    const rest = -0.3;
    const random = randomNumbers(3);
    const draw = (low: number, high: number) =>
      Float32Array.from({ length: 2000 }, () => low + (high - low) * random());
    const [logits, scale, shift] = [draw(-9, 9), draw(0.5, 2), draw(-1, 1)];
    const shape = [logits.length, 1, 1] as const;
    const layers = [
      { kind: 'batch-norm', name: 'b', channels: logits.length, momentum: 0.1, epsilon: 0 },
      {
        kind: 'neuron',
        name: 'n',
        shape,
        neuron: {
          ...plif,
          tau: { per: 'neuron', mean: 2, std: 0 },
          reset: { kind: 'hard', potential: rest, detach: true },
        },
      },
      { kind: 'vote', group: 1 },
    ] as const;
    const spec: NetworkSpec = { input: shape, classes: logits.length, layers };
    const tensor = (data: Float32Array, of: readonly number[] = [data.length]): Tensor => ({
      dtype: 'F32',
      shape: of,
      data,
    });
    const state: State = new Map([
      ['b.weight', tensor(scale)],
      ['b.bias', tensor(shift)],
      ['b.running_mean', tensor(scale.map(() => 0))],
      ['b.running_var', tensor(scale.map(() => 1))],
      ['b.num_batches_tracked', { dtype: 'I64', shape: [], data: new BigInt64Array(1) }],
      ['n.w', tensor(logits, [1, ...shape])],
    ]);
    // From rest in a first step, and from just below the threshold in those after it.
    const toThreshold = logits.map((w, i) => ((1 - rest) / sigmoidSingle(w) - shift[i]!) / scale[i]!);
    const toStay = logits.map((_, i) => (1 - rest - shift[i]!) / scale[i]!);
    const data = Float32Array.from([...toThreshold, ...toStay, ...toStay]);
    const session = await nativeEngine('wasm').open(spec, state);
    const { outputs, spikeRates } = await session.evaluate({ shape: [1, 3, ...shape], data });
    session.dispose();
    expect(runForward(prepareNetwork(spec, state), data, 3).outputs).toEqual(outputs);
    expect(spikeRates[0]).toBeGreaterThan(0.1);
  });

  // Here the engine adds in another order, so that a spike may differ: with these numbers none does.
  it.each(['average pooling', 'so many spikes that convolutions treat them as dense'])('%s', async (name) => {
    const { wanted, found } = await runBoth(caseOf(name).spec);
    expect(found).toEqual(wanted);
  });
});

describe('runForward and PyTorch agree', () => {
  it.each([...goldenCases('neuron'), ...goldenCases('neuron', 'torch/')])('on neurons: %s', (name) => {
    const golden = loadGolden(name);
    const {
      v_threshold: threshold,
      v_reset,
      tau,
      per_neuron = false,
    } = golden.description as unknown as {
      readonly v_threshold: number;
      /** null for a soft reset. */
      readonly v_reset: number | null;
      /** Of a LIF neuron, in time steps. */
      readonly tau?: number;
      readonly per_neuron?: boolean;
    };
    const x = golden.float('x');
    const [steps = 0, samples = 0, ...shape] = x.shape as [number, number, number, number, number];
    const neuron: NeuronSpec = {
      ...plif,
      kind: tau === undefined ? 'plif' : 'lif',
      tau: { per: per_neuron ? 'neuron' : 'layer', mean: tau ?? 2, std: 0 },
      threshold,
      reset: resetOf(v_reset, true),
    };
    const spec: NetworkSpec = {
      input: shape,
      classes: countElements(shape),
      layers: [{ kind: 'neuron', name: 'n', shape, neuron }],
    };
    const network = prepareNetwork(spec, new Map(tau === undefined ? [['n.w', golden.float('w')]] : []));
    const size = x.data.length / steps / samples;
    for (let sample = 0; sample < samples; sample++) {
      const ofSample = (_: number, i: number) => Math.floor(i / size) % samples === sample;
      const trace = runForward(network, x.data.filter(ofSample), steps).layers[0]!;
      expect([...trace.spikes]).toEqual([...golden.float('spikes').data.filter(ofSample)]);
      // The original's vectors of LIF neurons have no potentials.
      if (name === 'lif_00') continue;
      const wanted = golden.float('v_after').data.filter(ofSample);
      for (const index of [0, 1, size - 1]) {
        const { potential, current } = traceNeuron(network.neurons[0]!, trace, index);
        const ofNeuron = (_: number, i: number) => i % size === index;
        expect(potential).toBeAllclose(wanted.filter(ofNeuron));
        expect(current).toBeAllclose(x.data.filter(ofSample).filter(ofNeuron));
      }
    }
  });

  const describeNetwork = (name: string) => v.parse(networkShape, loadGolden(name).description);
  // After the original's few training steps, hardly a network has a spike left in its last layer.
  const networks = goldenCases('network', 'torch/').filter(
    (name) => describeNetwork(name).architecture === 'event-frames',
  );

  it.each(networks)('on the rates of trained networks: %s', (name) => {
    const golden = loadGolden(name);
    const spec = buildDescribed(describeNetwork(name), undefined);
    const network = prepareNetwork(spec, golden.below('step2/state/'));
    const [, samples = 0, steps = 0] = golden.float('x').shape;
    const size = steps * countElements(spec.input);
    const rates = Array.from({ length: samples }, (_, sample) => {
      const frames = golden.float('x').data.subarray(sample * size, (sample + 1) * size);
      return [...summarise(runForward(network, frames, steps), spec).rates];
    }).flat();
    expect(rates).toBeAllclose(golden.float('eval/rate').data);
    expect(Math.max(...rates)).toBeGreaterThan(0);
  });
});

describe('a network of linear layers', () => {
  const spikesByStep = (mean: number, isReversed: boolean) => {
    const tau = { per: 'layer', mean, std: 0 } as const;
    const spec = buildNetwork({ ...small, layers: 0, neuron: 'lif', tau });
    const { frames } = randomBatch(spec, { steps: 8, samples: 1 });
    const order = Array.from({ length: 8 }, (_, step) => (isReversed ? 7 - step : step));
    const slice = (values: ArrayLike<number>, step: number) =>
      Array.from(values).slice((step * values.length) / 8, ((step + 1) * values.length) / 8);
    const data = Uint8Array.from(order.flatMap((step) => slice(frames.data, step)));
    const { layers } = runForward(prepareNetwork(spec, livelyState(spec)), data, 8);
    return layers.map(({ spikes }) => order.map((step) => slice(spikes, step)));
  };

  it('remembers nothing with τ = 1: reversed, each frame makes the spikes that it made before', () => {
    expect(spikesByStep(1, true)).toEqual(spikesByStep(1, false));
    expect(spikesByStep(1, false).every((layer) => layer.flat().includes(1))).toBe(true);
    expect(spikesByStep(2, true)).not.toEqual(spikesByStep(2, false));
  });
});

/** One value at each step, times 1, is the current of a single neuron. */
function oneNeuron(reset: NeuronSpec['reset']): ForwardNetwork {
  const layers: NetworkSpec['layers'] = [
    { kind: 'linear', name: 'l', inFeatures: 1, outFeatures: 1 },
    { kind: 'neuron', name: 'n', shape: [1], neuron: { ...plif, reset } },
    { kind: 'vote', group: 1 },
  ];
  const state: State = new Map([
    ['l.weight', { dtype: 'F32', shape: [1, 1], data: Float32Array.of(1) }],
    ['n.w', { dtype: 'F32', shape: [], data: Float32Array.of(0) }], // τ = 2
  ]);
  return prepareNetwork({ input: [1, 1, 1], classes: 1, layers }, state);
}

describe('one neuron with τ = 2 and a threshold of 1', () => {
  const current = [1.5, 1.5, 0, 2.5];

  it.each([
    [{ kind: 'hard', potential: 0 }, [0.75, 1.125, 0, 1.25], [0.75, 0, 0, 0], [0, 1, 0, 1]],
    [
      { kind: 'hard', potential: -0.25 },
      [0.5, 0.875, 0.3125, 1.28125],
      [0.5, 0.875, 0.3125, -0.25],
      [0, 0, 0, 1],
    ],
    [{ kind: 'soft' }, [0.75, 1.125, 0.0625, 1.28125], [0.75, 0.125, 0.0625, 0.28125], [0, 1, 0, 1]],
  ] as const)('charges, fires and resets as worked by hand: %j', (reset, charged, potential, spikes) => {
    const network = oneNeuron({ ...reset, detach: true });
    const trace = runForward(network, current, 4);
    const neuron = traceNeuron(network.neurons[0]!, trace.layers[0]!, 0);
    expect(Object.fromEntries(Object.entries(neuron).map(([key, values]) => [key, [...values]]))).toEqual({
      current,
      charged,
      potential,
      spikes,
    });
    expect([...trace.outputs]).toEqual(spikes);
    expect([...trace.operations]).toEqual([1, 1, 0, 1]);
  });
});

it('neurons are changed in a copy of the network', () => {
  const spec = buildNetwork({ ...small, layers: 1, channels: 4 });
  const changed = buildNetwork({ ...small, layers: 1, channels: 4, threshold: 0.7 });
  const state = livelyState(spec);
  const { frames } = randomBatch(spec, { samples: 1 });
  const network = prepareNetwork(spec, state);
  const run = (one: ForwardNetwork) => summarise(runForward(one, frames.data, 4), spec);
  const before = run(network);
  const copy = { ...network, neurons: network.neurons.map((one) => ({ ...one, threshold: 0.7 })) };
  expect(run(copy)).toEqual(run(prepareNetwork(changed, state)));
  expect(run(copy).spikeRates).not.toEqual(before.spikeRates);
  expect(run(network)).toEqual(before);
});

it('sigmoidSingle is 1 / (1 + e^−w) to single precision', () => {
  for (let w = -80; w <= 80; w += 0.37) expect(sigmoidSingle(w) * (1 + Math.exp(-w))).toBeCloseTo(1, 6);
  expect(sigmoidSingle(200)).toBe(1);
});

describe('what does not fit is refused', () => {
  const spec = buildNetwork(small);
  const state = livelyState(spec);
  const transposed = { ...state.get('fc.2.weight')!, shape: [144, 30] } as Tensor;
  const without = (name: string) => new Map([...state].filter(([key]) => key !== name));

  it.each<[string, () => unknown, string]>([
    [
      'a network for still images',
      () => prepareNetwork(buildNetwork(mnistNetwork), new Map()),
      'expected a network for event frames, got one for still images',
    ],
    [
      'a state without one of the tensors',
      () => prepareNetwork(spec, without('conv.4.weight')),
      '"conv.4.weight": expected F32 [24, 24, 3, 3], found no such tensor',
    ],
    [
      'a tensor of another size',
      () => prepareNetwork(spec, new Map([...state, ['conv.2.w', state.get('conv.1.bias')!]])),
      '"conv.2.w": expected F32 [], found F32 [24]',
    ],
    [
      'a tensor whose axes are swapped',
      () => prepareNetwork(spec, new Map([...state, ['fc.2.weight', transposed]])),
      '"fc.2.weight": expected F32 [30, 144], found F32 [144, 30]',
    ],
    [
      'frames of another length',
      () => runForward(prepareNetwork(spec, state), new Uint8Array(1092), 2),
      'frames: [2, 2, 21, 26] needs 2184 values, got 1092',
    ],
  ])('%s', (_, run, message) => {
    expect(run).toThrow(ShapeError);
    expect(run).toThrow(message);
  });
});
