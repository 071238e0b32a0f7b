import { buildNetwork, type NetworkConfig } from '../snn/networks.ts';
import { stateEntries } from '../snn/parameters.ts';
import { countElements, ShapeError, type State, type Tensor } from '../snn/tensor.ts';

/** A trained network: `values` are the F32 tensors of `stateEntries(spec)`, one after the other. */
export interface NetworkValues {
  readonly config: NetworkConfig;
  readonly values: Float32Array;
}

/**
 * The values of a state as `NetworkValues` has them: its F32 tensors in the order of `stateEntries`, one after the other.
 *
 * @throws {ShapeError} naming the tensor, if the state is not of this network
 */
export function valuesOf(config: NetworkConfig, state: State): Float32Array {
  const sizes = listTensors(config).map(({ shape }) => countElements(shape));
  const values = new Float32Array(sizes.reduce((sum, size) => sum + size, 0));
  for (const [name, { shape, data }] of stateOf({ config, values })) {
    const tensor = state.get(name);
    const found = tensor === undefined ? 'no such tensor' : `${tensor.dtype} [${tensor.shape.join(', ')}]`;
    if (tensor?.dtype !== 'F32' || tensor.shape.join() !== shape.join())
      throw new ShapeError(`${name}: expected F32 [${shape.join(', ')}], found ${found}`);
    data.set(tensor.data);
  }
  return values;
}

/**
 * The state of which these are the values, as views of them, without PyTorch's counters of batches, on which no result depends.
 *
 * @throws {ShapeError} if there are more or fewer values
 */
export function stateOf({ config, values }: NetworkValues) {
  const state = new Map<string, Extract<Tensor, { dtype: 'F32' }>>();
  let at = 0;
  for (const { name, shape } of listTensors(config)) {
    const end = at + countElements(shape);
    state.set(name, { dtype: 'F32', shape, data: values.subarray(at, end) });
    at = end;
  }
  if (at !== values.length) throw new ShapeError(`the network has ${at} values, got ${values.length}`);
  return state;
}

function listTensors(config: NetworkConfig) {
  return stateEntries(buildNetwork(config)).filter(({ dtype }) => dtype === 'F32');
}
