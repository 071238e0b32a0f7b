import { restingPotential } from './neurons.ts';
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

/** What the thesis' network has where a configuration says nothing. */
const defaults = { threshold: 1, votes: 10, dropout: 0.5 } as const;

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
  const neuron = neuronSpec(config);
  checkConfig(config, neuron);
  const { votes, dropout: probability } = { ...defaults, ...config };
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

function neuronSpec(config: NetworkConfig): NeuronSpec {
  const { kind, detach, potential = 0 } = config.reset;
  return {
    kind: config.neuron,
    tau: config.tau,
    threshold: config.threshold ?? defaults.threshold,
    reset: kind === 'hard' ? { kind, potential, detach } : { kind, detach },
    surrogate: config.surrogate,
  };
}

function checkConfig(config: NetworkConfig, neuron: NeuronSpec): void {
  const [channels, height, width] = config.input;
  const counts = {
    'input channels': channels,
    'input height': height,
    'input width': width,
    classes: config.classes,
    channels: config.channels,
    layers: config.layers,
    hidden: config.hidden ?? 1,
    votes: config.votes ?? defaults.votes,
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
  const { dropout } = { ...defaults, ...config };
  if (!(dropout >= 0 && dropout < 1)) {
    throw new ShapeError(`network: dropout must be at least 0 and below 1, got ${dropout}`);
  }
  if (!(config.tau.mean > 1)) {
    throw new ShapeError(`network: τ must be more than 1 time step, got a mean of ${config.tau.mean}`);
  }
  const rest = restingPotential(neuron);
  if (!(rest < neuron.threshold)) {
    throw new ShapeError(
      `network: the reset potential must be below the threshold of ${neuron.threshold}, got ${rest}`,
    );
  }
}
