import { describe, expect, test } from 'vitest';
import { stateOf, valuesOf } from '../../src/explore/network-values.ts';
import { initialState } from '../../src/snn/initialise.ts';
import { buildNetwork } from '../../src/snn/networks.ts';
import { thesisNetwork } from '../support/thesis-network.ts';

const config = {
  ...thesisNetwork,
  input: [2, 4, 4],
  classes: 2,
  channels: 3,
  layers: 1,
  hidden: 5,
  votes: 2,
} as const;
const state = initialState(buildNetwork(config), 1);

describe('the values of a network', () => {
  test('are its F32 tensors in the order of PyTorch’s state_dict', () => {
    const values = valuesOf(config, state);
    // conv 3·2·9; batch norm 4·3; w; linear 5·(3·2·2); w; linear 4·5; w.
    expect(values).toHaveLength(54 + 12 + 1 + 60 + 1 + 20 + 1);
    expect(values.subarray(0, 54)).toEqual(state.get('conv.0.weight')?.data);
    expect(values.subarray(67, 127)).toEqual(state.get('fc.2.weight')?.data);
  });

  test('give the state back, without its counters', () => {
    const back = stateOf({ config, values: valuesOf(config, state) });
    expect([...back.keys()]).toEqual(
      [...state.keys()].filter((name) => !name.endsWith('num_batches_tracked')),
    );
    for (const [name, tensor] of back) expect(tensor).toEqual(state.get(name));
  });

  test('are not those of another network', () => {
    expect(() => valuesOf({ ...config, hidden: 6 }, state)).toThrow(
      'fc.2.weight: expected F32 [6, 12], found F32 [5, 12]',
    );
    expect(() => valuesOf({ ...config, layers: 0 }, state)).toThrow(
      'fc.2.weight: expected F32 [5, 32], found',
    );
    const values = new Float32Array(148);
    expect(() => stateOf({ config, values })).toThrow('the network has 149 values, got 148');
  });
});
