import { unreachable } from '../base/errors.ts';
import { countElements } from '../formats/tensor.ts';

/** A neuron's reset after a spike: to `potential` (hard), or down by the threshold (soft). */
export type Reset =
  | { readonly kind: 'hard'; readonly potential: number; readonly detach: boolean }
  | { readonly kind: 'soft'; readonly detach: boolean };

/** Surrogate derivative of the spike (`neurons.ts`); `alpha` is its slope, which each layer may learn. */
export interface Surrogate {
  readonly kind: 'atan' | 'sigmoid' | 'triangle';
  readonly alpha: number;
  readonly learnable: boolean;
}

/** What has a τ of its own: a layer; each channel behind a convolution, and each neuron of a linear layer; each neuron. */
export const tauUnits = ['layer', 'channel', 'neuron'] as const;

/** The membrane time constant τ in time steps; per channel or neuron, initially log-normal with this mean and standard deviation. */
export interface TauSpec {
  readonly per: (typeof tauUnits)[number];
  readonly mean: number;
  readonly std: number;
  /**
   * How τ per channel or neuron are drawn: LogNormal(mean, std) as in the published code (the default), or 1 + LogNormal(mean − 1, std)
   * as in the paper. It has no effect without a spread or with one τ per layer.
   */
  readonly start?: 'code' | 'paper';
  /** Initial τ that channels or neurons take in turn instead of drawing them; `mean` and `std` are theirs. */
  readonly values?: readonly number[];
}

/**
 * Initial weights: Kaiming uniform as in PyTorch (the default), or these times τ/2, so that neurons of every τ start with the gain, weight over τ, of
 * those at τ = 2.
 */
export const inits = ['kaiming', 'gain-matched'] as const;
export type Init = (typeof inits)[number];

export interface NeuronSpec {
  /** `plif`: τ is learned; `lif`: τ stays at `tau.mean`. */
  readonly kind: 'plif' | 'lif';
  readonly tau: TauSpec;
  readonly threshold: number;
  readonly reset: Reset;
  readonly surrogate: Surrogate;
}

/**
 * One layer. `name` is the layer's prefix in PyTorch's state_dict, if it has one.
 * Shapes are for one sample and one time step: [C, H, W] or [F].
 */
export type Layer =
  | {
      readonly kind: 'conv';
      readonly name: string;
      readonly inChannels: number;
      readonly outChannels: number;
      readonly kernel: number;
      readonly padding: number;
    }
  | {
      readonly kind: 'batch-norm';
      readonly name: string;
      readonly channels: number;
      readonly momentum: number;
      readonly epsilon: number;
    }
  | {
      readonly kind: 'neuron';
      readonly name: string;
      readonly shape: readonly number[];
      readonly neuron: NeuronSpec;
      /** Whether the neurons, [F], also get the layer's own spikes of the step before, through weights [F, F] with a diagonal. */
      readonly recurrent?: boolean;
    }
  /** Adds time: the layers before it run once on a still image, and their output is repeated at each of T steps. */
  | { readonly kind: 'repeat'; readonly steps: number }
  | { readonly kind: 'pool'; readonly mode: 'max' | 'average'; readonly size: number }
  | { readonly kind: 'flatten' }
  | { readonly kind: 'dropout'; readonly probability: number; readonly features: number }
  | {
      readonly kind: 'linear';
      readonly name: string;
      readonly inFeatures: number;
      readonly outFeatures: number;
    }
  | { readonly kind: 'vote'; readonly group: number };

/** The layers of one kind: `LayerOf<'neuron'>`. */
export type LayerOf<Kind extends Layer['kind']> = Extract<Layer, { readonly kind: Kind }>;

/**
 * A network as data: every layer runs once per time step, and the class scores are the mean over the steps. No layer feeds an earlier one. In a network for still images,
 * the layers before its only `repeat` run once; its frames are [N, 1, C, H, W].
 */
export interface NetworkSpec {
  /** [channels, height, width] of one frame. */
  readonly input: readonly [number, number, number];
  readonly classes: number;
  readonly layers: readonly Layer[];
  /** Default: `kaiming`. */
  readonly init?: Init;
}

/** The layers that spike, in the order of the network; layer i is `w_mean.i` in a run's metrics. */
export function spikingLayers(spec: NetworkSpec): LayerOf<'neuron'>[] {
  return spec.layers.filter((layer) => layer.kind === 'neuron');
}

/** T of a network that repeats a still image; undefined for frames, which have their own. */
export function repeatedSteps({ layers }: NetworkSpec): number | undefined {
  return layers.find((layer) => layer.kind === 'repeat')?.steps;
}

/** The dropout layers in the order in which an engine expects their masks. */
export function dropoutLayers(spec: NetworkSpec): LayerOf<'dropout'>[] {
  return spec.layers.filter((layer) => layer.kind === 'dropout');
}

/** The shape of a sample at one step behind each layer: [C, H, W], or [F] once flattened. */
export function outputShapes({ input, layers }: NetworkSpec): (readonly number[])[] {
  let shape: readonly number[] = input;
  return layers.map((layer) => {
    const [channels = 1, height = 1, width = 1] = shape;
    switch (layer.kind) {
      case 'conv': {
        const shrink = layer.kernel - 1 - 2 * layer.padding;
        shape = [layer.outChannels, height - shrink, width - shrink];
        break;
      }
      case 'pool':
        shape = [channels, Math.floor(height / layer.size), Math.floor(width / layer.size)];
        break;
      case 'flatten':
        shape = [channels * height * width];
        break;
      case 'linear':
        shape = [layer.outFeatures];
        break;
      case 'vote':
        shape = [channels / layer.group];
        break;
      case 'batch-norm':
      case 'neuron':
      case 'repeat':
      case 'dropout':
        break;
      default:
        return unreachable(layer);
    }
    return shape;
  });
}

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
        ...(layer.recurrent === true
          ? [parameter('recurrent.weight', [...layer.shape, ...layer.shape])]
          : []),
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
