import { describe, expect, test } from 'vitest';
import { readNir, writeNir } from '../../src/formats/nir.ts';
import type { State } from '../../src/formats/tensor.ts';
import { prepareNetwork, runForward } from '../../src/network/forward.ts';
import { buildNetwork } from '../../src/network/networks.ts';
import { nirFromNetwork, stateFromNir } from '../../src/network/nir.ts';
import type { NetworkSpec, NeuronSpec } from '../../src/network/spec.ts';
import { Layers, livelyState, plif, randomBatch } from '../native/support.ts';
import { runNir } from '../support/nir-run.ts';
import { thesisNetwork } from '../support/thesis-network.ts';

/** Spikes of each layer and outputs of each step: of a clip in `runForward`, in the NIR graph, and with the state read from its file. */
async function runBoth(spec: NetworkSpec, state = livelyState(spec)) {
  const { frames } = randomBatch(spec, { steps: 8, samples: 1 });
  const graph = nirFromNetwork(spec, state);
  const spikes = new Map<string, number[]>();
  const outputs = runNir(graph, Float32Array.from(frames.data), (name, values) => {
    if (graph.nodes.get(name)?.type === 'LIF') spikes.set(name, [...(spikes.get(name) ?? []), ...values]);
  });
  const forward = (used: State) => {
    const { layers, outputs } = runForward(prepareNetwork(spec, used), frames.data, 8);
    return { spikes: layers.map((layer) => [...layer.spikes]), outputs };
  };
  const read = stateFromNir(spec, await readNir(await writeNir(graph)));
  return {
    found: { spikes: [...spikes.values()], outputs },
    wanted: forward(state),
    again: forward(read),
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
    [
      'recurrent',
      { layers: 0, hidden: [20, 30], recurrent: true, tau: { per: 'neuron', mean: 2, std: 0.3 } },
    ],
  ] as const)('%s', async (_, changes) => {
    const { found, wanted, again } = await runBoth(buildNetwork({ ...small, ...changes }));
    expect(wanted.spikes.every((layer) => layer.includes(1))).toBe(true);
    expect(found).toEqual(wanted);
    expect(again).toEqual(wanted);
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
    runNir(graph, Float32Array.of(1, 1, 0.9, 1), (name, [value]) => {
      if (name === first) fired.push(value!);
    });
    expect(fired).toEqual([1, 0]);
  });

  test('a soft reset has none', () => {
    const spec = buildNetwork({ ...small, reset: { kind: 'soft', detach: true } });
    expect(() => nirFromNetwork(spec, livelyState(spec))).toThrow('conv.2: NIR has no reset that subtracts');
  });
});
