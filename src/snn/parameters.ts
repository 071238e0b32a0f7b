import { unreachable } from '../errors.ts';
import type { Layer, LayerOf, NetworkSpec } from './spec.ts';
import { countElements } from './tensor.ts';

/** A named tensor of a network, as in PyTorch's state_dict. */
export interface StateEntry {
  readonly name: string;
  readonly shape: readonly number[];
  /** Parameters are learned; buffers are batch norm's running statistics and counter. */
  readonly role: 'parameter' | 'buffer';
  readonly dtype: 'F32' | 'I64';
}

/** The tensors of a network in the order of PyTorch's state_dict. */
export function stateEntries(spec: NetworkSpec): StateEntry[] {
  return spec.layers.flatMap(layerEntries);
}

/** The number of values that a network learns: its parameters, without batch norm's buffers. */
export function countParameters(spec: NetworkSpec): number {
  return stateEntries(spec)
    .filter(({ role }) => role === 'parameter')
    .reduce((sum, { shape }) => sum + countElements(shape), 0);
}

/**
 * The shape of a neuron layer's `w`, the logit of 1/τ: [] per layer, [1, C, 1, 1] or [1, F] per channel, [1, C, H, W] or [1, F] per neuron;
 * undefined if τ is fixed.
 */
export function tauShape(layer: LayerOf<'neuron'>): number[] | undefined {
  if (layer.neuron.kind === 'lif') return undefined;
  const [channels = 1, ...place] = layer.shape;
  switch (layer.neuron.tau.per) {
    case 'layer':
      return [];
    case 'channel':
      return [1, channels, ...place.map(() => 1)];
    case 'neuron':
      return [1, ...layer.shape];
  }
}

function layerEntries(layer: Layer): StateEntry[] {
  const prefix = 'name' in layer ? `${layer.name}.` : '';
  const parameter = (name: string, shape: readonly number[]): StateEntry => {
    return { name: prefix + name, shape, role: 'parameter', dtype: 'F32' };
  };
  const buffer = (name: string, shape: readonly number[], dtype: 'F32' | 'I64'): StateEntry => {
    return { name: prefix + name, shape, role: 'buffer', dtype };
  };
  switch (layer.kind) {
    case 'conv':
      return [parameter('weight', [layer.outChannels, layer.inChannels, layer.kernel, layer.kernel])];
    case 'linear':
      return [parameter('weight', [layer.outFeatures, layer.inFeatures])];
    case 'batch-norm':
      return [
        parameter('weight', [layer.channels]),
        parameter('bias', [layer.channels]),
        buffer('running_mean', [layer.channels], 'F32'),
        buffer('running_var', [layer.channels], 'F32'),
        buffer('num_batches_tracked', [], 'I64'),
      ];
    case 'neuron': {
      const shape = tauShape(layer);
      return [
        ...(shape === undefined ? [] : [parameter('w', shape)]),
        ...(layer.neuron.surrogate.learnable ? [parameter('surrogate_function.alpha', [])] : []),
      ];
    }
    case 'repeat':
    case 'pool':
    case 'flatten':
    case 'dropout':
    case 'vote':
      return [];
    default:
      return unreachable(layer);
  }
}
