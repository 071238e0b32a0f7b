import { ShapeError } from './shape-error.ts';
import type { Layer, NetworkSpec, NeuronSpec, Reset, Surrogate, TauSpec } from './spec.ts';

/** What a network is built from: a model's `network:` section plus what the data set fixes. */
export interface NetworkConfig {
  /** [channels, height, width] of one frame; event frames have 2 channels, one a polarity. */
  readonly input: readonly [number, number, number];
  readonly classes: number;
  /** Width of every convolution. */
  readonly channels: number;
  /** Number of `conv - batch norm - neuron - pool` blocks; each halves height and width, rounding down. */
  readonly layers: number;
  readonly neuron: NeuronSpec['kind'];
  readonly tau: TauSpec;
  /** `potential` is where a hard reset goes to; 0 when left out. */
  readonly reset: { readonly kind: Reset['kind']; readonly detach: boolean; readonly potential?: number };
  readonly surrogate: Surrogate;
  readonly pooling: 'max' | 'average';
  readonly threshold?: number;
  /** Width of the hidden linear layer; a quarter of the flattened features when left out (512 for the thesis' network). */
  readonly hidden?: number;
  /** Output neurons that vote for one class. */
  readonly votes?: number;
  /** Probability with which dropout silences a feature. */
  readonly dropout?: number;
}

/** A named tensor of a network, as PyTorch's state_dict has it. */
export interface StateEntry {
  readonly name: string;
  readonly shape: readonly number[];
  /** Parameters are learned; buffers are batch norm's running statistics and counter. */
  readonly role: 'parameter' | 'buffer';
  readonly dtype: 'F32' | 'I64';
}

/** PyTorch's defaults for BatchNorm2d. */
const batchNormDefaults = { momentum: 0.1, epsilon: 1e-5 } as const;

/**
 * The thesis' network for event frames (DVS128 Gesture, N-MNIST, CIFAR10-DVS):
 * `{conv 3x3 - batch norm - neuron - pool 2x2} x layers - dropout - linear - neuron - dropout - linear - neuron - vote`.
 *
 * @throws {ShapeError} if a number is out of range or the frame is too small for that many layers
 * @see Fang et al. 2021 (arXiv 2007.05785); Pazderka 2024
 */
export function buildNetwork(config: NetworkConfig): NetworkSpec {
  checkConfig(config);
  const neuron = neuronSpec(config);
  const probability = config.dropout ?? 0.5;
  const votes = config.votes ?? 10;
  const layers: Layer[] = [];
  let [inChannels, height, width] = config.input;

  for (let block = 0; block < config.layers; block++) {
    const first = block * 4; // conv, batch norm, neuron and pool take four places in PyTorch's Sequential
    layers.push(
      {
        kind: 'conv',
        name: `conv.${first}`,
        inChannels,
        outChannels: config.channels,
        kernel: 3,
        padding: 1,
      },
      { kind: 'batch-norm', name: `conv.${first + 1}`, channels: config.channels, ...batchNormDefaults },
      { kind: 'neuron', name: `conv.${first + 2}`, shape: [config.channels, height, width], neuron },
      { kind: 'pool', mode: config.pooling, size: 2 },
    );
    inChannels = config.channels;
    height = Math.floor(height / 2);
    width = Math.floor(width / 2);
  }

  const features = inChannels * height * width;
  const hidden = config.hidden ?? Math.max(1, Math.floor(features / 4));
  layers.push(
    { kind: 'flatten' },
    { kind: 'dropout', probability, features },
    { kind: 'linear', name: 'fc.2', inFeatures: features, outFeatures: hidden },
    { kind: 'neuron', name: 'fc.3', shape: [hidden], neuron },
    { kind: 'dropout', probability, features: hidden },
    { kind: 'linear', name: 'fc.5', inFeatures: hidden, outFeatures: config.classes * votes },
    { kind: 'neuron', name: 'fc.6', shape: [config.classes * votes], neuron },
    { kind: 'vote', group: votes },
  );
  return { input: config.input, classes: config.classes, layers };
}

/** The tensors of a network in the order of PyTorch's state_dict. */
export function parameterShapes(spec: NetworkSpec): StateEntry[] {
  return spec.layers.flatMap(layerState);
}

/** The layers that spike, in the order of the network; layer i is `w_mean.i` in a run's metrics. */
export function spikingLayers(spec: NetworkSpec): Extract<Layer, { kind: 'neuron' }>[] {
  return spec.layers.filter((layer) => layer.kind === 'neuron');
}

/** The dropout layers in the order in which an engine expects their masks. */
export function dropoutLayers(spec: NetworkSpec): Extract<Layer, { kind: 'dropout' }>[] {
  return spec.layers.filter((layer) => layer.kind === 'dropout');
}

/** Shape of a neuron's `w`, the logit of 1/τ: [] for one a layer, [1, ...shape] for one a neuron; undefined if τ is fixed. */
export function tauShape(layer: Extract<Layer, { kind: 'neuron' }>): number[] | undefined {
  if (layer.neuron.kind === 'lif') return undefined;
  return layer.neuron.tau.per === 'layer' ? [] : [1, ...layer.shape];
}

function layerState(layer: Layer): StateEntry[] {
  const parameter = (name: string, shape: readonly number[]): StateEntry => ({
    name,
    shape,
    role: 'parameter',
    dtype: 'F32',
  });
  const buffer = (name: string, shape: readonly number[], dtype: 'F32' | 'I64'): StateEntry => ({
    name,
    shape,
    role: 'buffer',
    dtype,
  });
  switch (layer.kind) {
    case 'conv':
      return [
        parameter(`${layer.name}.weight`, [layer.outChannels, layer.inChannels, layer.kernel, layer.kernel]),
      ];
    case 'linear':
      return [parameter(`${layer.name}.weight`, [layer.outFeatures, layer.inFeatures])];
    case 'batch-norm':
      return [
        parameter(`${layer.name}.weight`, [layer.channels]),
        parameter(`${layer.name}.bias`, [layer.channels]),
        buffer(`${layer.name}.running_mean`, [layer.channels], 'F32'),
        buffer(`${layer.name}.running_var`, [layer.channels], 'F32'),
        buffer(`${layer.name}.num_batches_tracked`, [], 'I64'),
      ];
    case 'neuron': {
      const shape = tauShape(layer);
      return [
        ...(shape === undefined ? [] : [parameter(`${layer.name}.w`, shape)]),
        ...(layer.neuron.surrogate.learnable
          ? [parameter(`${layer.name}.surrogate_function.alpha`, [])]
          : []),
      ];
    }
    case 'pool':
    case 'flatten':
    case 'dropout':
    case 'vote':
      return [];
  }
}

function neuronSpec(config: NetworkConfig): NeuronSpec {
  const { kind, detach, potential = 0 } = config.reset;
  return {
    kind: config.neuron,
    tau: config.tau,
    threshold: config.threshold ?? 1,
    reset: kind === 'hard' ? { kind, potential, detach } : { kind, detach },
    surrogate: config.surrogate,
  };
}

function checkConfig(config: NetworkConfig): void {
  const [channels, height, width] = config.input;
  const counts = {
    'input channels': channels,
    'input height': height,
    'input width': width,
    classes: config.classes,
    channels: config.channels,
    layers: config.layers,
    hidden: config.hidden ?? 1,
    votes: config.votes ?? 1,
  };
  for (const [name, value] of Object.entries(counts)) {
    if (!Number.isInteger(value) || value < 1) {
      throw new ShapeError(`network: ${name} must be a whole number of at least 1, got ${value}`);
    }
  }
  const most = Math.floor(Math.log2(Math.min(height, width)));
  if (config.layers > most) {
    throw new ShapeError(
      `network: ${config.layers} layers halve a frame of ${height} x ${width} to nothing; at most ${most} fit`,
    );
  }
  const dropout = config.dropout ?? 0.5;
  if (!(dropout >= 0 && dropout < 1)) {
    throw new ShapeError(`network: dropout must be at least 0 and below 1, got ${dropout}`);
  }
  if (!(config.tau.mean > 1)) {
    throw new ShapeError(`network: τ must be more than 1 time step, got a mean of ${config.tau.mean}`);
  }
}
