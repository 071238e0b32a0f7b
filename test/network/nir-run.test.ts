import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { readNir } from '../../src/formats/nir.ts';
import type { NirArray, NirGraph, NirNode } from '../../src/formats/nir-graph.ts';
import { prepareNetwork, runForward } from '../../src/network/forward.ts';
import { buildNetwork } from '../../src/network/networks.ts';
import { nirFromNetwork } from '../../src/network/nir-from-network.ts';
import { prepareNir, runNir } from '../../src/network/nir-run.ts';
import type { NetworkSpec, NeuronSpec } from '../../src/network/spec.ts';
import { Layers, livelyState, plif, randomBatch } from '../native/support.ts';
import { thesisNetwork } from '../support/thesis-network.ts';

const array = (...data: readonly number[]): NirArray => ({
  shape: [data.length],
  data: Float32Array.from(data),
});

/** A chain of nodes from an input to an output of these shapes. */
function chain(
  nodes: Readonly<Record<string, NirNode>>,
  more: NirGraph['edges'] = [],
  [input, output]: readonly [readonly number[], readonly number[]] = [[1], [1]],
): NirGraph {
  const names = ['in', ...Object.keys(nodes), 'out'];
  return {
    nodes: new Map<string, NirNode>([
      ['in', { type: 'Input', shape: array(...input) }],
      ...Object.entries(nodes),
      ['out', { type: 'Output', shape: array(...output) }],
    ]),
    edges: [...names.slice(1).map((name, i) => [names[i]!, name] as const), ...more],
    metadata: {},
  };
}

const one = array(1);

/** The spikes of each layer of neurons and the outputs of each step, of a clip in `runForward` and in the network's NIR graph. */
function runBoth(spec: NetworkSpec, state = livelyState(spec)) {
  const { frames } = randomBatch(spec, { steps: 8, samples: 1 });
  const graph = nirFromNetwork(spec, state);
  const spikes = new Map<string, number[]>();
  const outputs = runNir(prepareNir(graph), Float32Array.from(frames.data), 1, (name, _, values) => {
    if (graph.nodes.get(name)?.type === 'LIF') spikes.set(name, [...(spikes.get(name) ?? []), ...values]);
  });
  const trace = runForward(prepareNetwork(spec, state), frames.data, 8);
  return {
    found: { spikes: [...spikes.values()], outputs },
    wanted: { spikes: trace.layers.map((layer) => [...layer.spikes]), outputs: trace.outputs },
  };
}

describe('the NIR graph of a network has its spikes and outputs', () => {
  const small = { ...thesisNetwork, input: [2, 17, 22], channels: 8, layers: 2, hidden: 30 } as const;
  const { detach } = thesisNetwork.reset;
  test.each([
    ['one τ per layer, max pooling', {}],
    ['one τ per channel', { tau: { per: 'channel', mean: 2, std: 0.3 } }],
    ['one τ per neuron, average pooling', { tau: { per: 'neuron', mean: 2, std: 0.3 }, pooling: 'average' }],
    ['a fixed τ of 1', { neuron: 'lif', tau: { per: 'layer', mean: 1, std: 0 } }],
    ['another threshold and reset', { threshold: 0.7, reset: { kind: 'hard', potential: -0.3, detach } }],
    ['no convolution', { layers: 0 }],
    ['two hidden layers', { layers: 0, hidden: [20, 30] }],
  ] as const)('%s', (_, changes) => {
    const { found, wanted } = runBoth(buildNetwork({ ...small, ...changes }));
    expect(wanted.spikes.every((layer) => layer.includes(1))).toBe(true);
    expect(found).toEqual(wanted);
  });

  test('a neuron exactly at its threshold fires, although NIR fires only above', () => {
    // τ = 2: an input of 2 charges it to 0 + (2 − 0) / 2 = 1.
    const atThreshold: NeuronSpec = { ...plif, kind: 'lif' };
    const spec = new Layers([2, 1, 1]).linear(1).neuron(atThreshold).classify(atThreshold);
    const state = new Map(
      [...livelyState(spec)].map(([name, tensor]) => [
        name,
        tensor.dtype === 'F32' ? { ...tensor, data: tensor.data.map(() => 1) } : tensor,
      ]),
    );
    const graph = nirFromNetwork(spec, state);
    const fired: number[] = [];
    const [first] = [...graph.nodes].flatMap(([name, { type }]) => (type === 'LIF' ? [name] : []));
    runNir(prepareNir(graph), Float32Array.of(1, 1, 0.9, 1), 1, (name, _, [value]) => {
      if (name === first) fired.push(value!);
    });
    expect(fired).toEqual([1, 0]);
  });

  test('a soft reset has none', () => {
    const spec = buildNetwork({ ...small, reset: { kind: 'soft', detach: true } });
    expect(() => nirFromNetwork(spec, livelyState(spec))).toThrow('conv.2: NIR has no reset that subtracts');
  });
});

describe('a graph of another program', () => {
  const folder = path.join(import.meta.dirname, '../golden/nir');

  test('with every known node puts out what PyTorch computes', async () => {
    const graph = await readNir(readFileSync(path.join(folder, 'graph.nir')));
    const { frames, outputs } = JSON.parse(readFileSync(path.join(folder, 'outputs.json'), 'utf8')) as {
      frames: number[];
      outputs: number[];
    };
    const found = runNir(prepareNir(graph, 0.5), Float32Array.from(frames));
    expect(found).toHaveLength(outputs.length);
    for (const [i, value] of outputs.entries()) expect(found[i]).toBeCloseTo(value, 5);
  });

  /** To two outputs. */
  const convolve = (kernel: number, bias: readonly number[], padding = 0): NirNode => ({
    type: 'Conv2d',
    input_shape: array(),
    weight: { shape: [2, 1, 1, kernel], data: Float32Array.from({ length: 2 * kernel }, (_, i) => 10 ** i) },
    bias: array(...bias),
    ...{ stride: one, padding: array(padding), dilation: one, groups: one },
  });

  const leaky: NirNode = { type: 'LI', tau: array(0.002), r: one, v_leak: array(0) };
  const wide: NirNode = { type: 'Linear', weight: { shape: [3, 1], data: Float32Array.of(1, 1, 1) } };
  test.each([
    ['edges make a loop', chain({ leaky }, [['leaky', 'leaky']]), 'node "leaky" (LI): it is part of a loop'],
    [
      'a weight has another shape',
      chain({ wide, again: wide }),
      'node "again" (Linear): weight is [3,1], its input [3]',
    ],
    [
      'a scale has as many values as channels, but along another axis',
      chain(
        { scale: { type: 'Scale', scale: { shape: [1, 1, 2], data: Float32Array.of(1, 10) } } },
        [],
        [[2, 1, 2], [4]],
      ),
      'node "scale" (Scale): scale is [1,1,2], expected [2,1,2]',
    ],
    [
      'a bias is shorter than the outputs',
      chain({ convolve: convolve(1, []) }, [], [[1, 1, 2], [4]]),
      'node "convolve" (Conv2d): bias is [0], expected [2]',
    ],
    [
      'a kernel is larger than its input',
      chain({ convolve: convolve(3, [0, 0]) }, [], [[1, 1, 2], [0]]),
      'node "convolve" (Conv2d): a kernel of 1 x 3 in strides of 1 x 1 gives no output for its input [1,1,2]',
    ],
    ['an edge leads from nowhere', chain({}, [['lost', 'out']]), 'an edge names the node "lost"'],
    [
      'there are two inputs',
      chain({ more: { type: 'Input', shape: one } }),
      'one node of type Input, found 2',
    ],
  ])('is refused if %s', (_, graph, message) => {
    expect(() => prepareNir(graph)).toThrow(message);
  });
});
