import { restingPotential } from './neurons.ts';
import type { NeuronSpec, Reset, Surrogate, TauSpec } from './spec.ts';
import { ShapeError } from './tensor.ts';

/** `event-frames` for DVS128 Gesture, N-MNIST and CIFAR10-DVS; `mnist` for FashionMNIST too. */
export const architectures = ['event-frames', 'mnist', 'cifar10'] as const;
export type Architecture = (typeof architectures)[number];

/** What a network is built from: a model's `network:` section, plus what depends on the data set. */
export interface NetworkConfig {
  /** Default: `event-frames`. */
  readonly architecture?: Architecture;
  /** [channels, height, width] of one frame; event frames have 2 channels, one per polarity. */
  readonly input: readonly [number, number, number];
  readonly classes: number;
  /** Output channels of every convolution. */
  readonly channels: number;
  /** Event frames only: the number of `conv - batch norm - neuron - pool` blocks; each halves height and width, rounding down. */
  readonly layers?: number;
  /** Still images only: T, the number of time steps for which the image is shown. Event frames have their own T. */
  readonly steps?: number;
  readonly neuron: NeuronSpec['kind'];
  readonly tau: TauSpec;
  /** `potential` is the target of a hard reset; default 0. */
  readonly reset: { readonly kind: Reset['kind']; readonly detach: boolean; readonly potential?: number };
  readonly surrogate: Surrogate;
  readonly pooling: 'max' | 'average';
  readonly threshold?: number;
  /**
   * Width of the hidden linear layer. Default: a quarter of the flattened features for event frames (512 in the thesis), and 2048 for
   * still images.
   */
  readonly hidden?: number;
  /** Output neurons that vote for one class. */
  readonly votes?: number;
  /** Probability that dropout zeroes a feature. */
  readonly dropout?: number;
}

/** Defaults, as in the thesis. */
export const networkDefaults = { threshold: 1, votes: 10, dropout: 0.5 } as const;

/** The neurons of a network, which are all alike. */
export function neuronSpec(config: NetworkConfig): NeuronSpec {
  const { kind, detach, potential = 0 } = config.reset;
  return {
    kind: config.neuron,
    tau: config.tau,
    threshold: config.threshold ?? networkDefaults.threshold,
    reset: kind === 'hard' ? { kind, potential, detach } : { kind, detach },
    surrogate: config.surrogate,
  };
}

/** Checks what all architectures have in common. @throws {ShapeError} if a number is out of range */
export function checkConfig(config: NetworkConfig): void {
  const [channels, height, width] = config.input;
  checkCount('input channels', channels);
  checkCount('input height', height);
  checkCount('input width', width);
  checkCount('classes', config.classes);
  checkCount('channels', config.channels);
  checkCount('hidden', config.hidden ?? 1);
  checkCount('votes', config.votes ?? networkDefaults.votes);
  const { dropout } = { ...networkDefaults, ...config };
  if (!(dropout >= 0 && dropout < 1)) {
    throw new ShapeError(`network: dropout must be at least 0 and below 1, got ${dropout}`);
  }
  if (!isPossibleTau(config.neuron, config.tau.mean)) {
    throw new ShapeError(
      `network: τ must be ${config.neuron === 'lif' ? 'at least' : 'more than'} 1 time step, got a mean of ${config.tau.mean}`,
    );
  }
  if (!(config.tau.std >= 0)) {
    throw new ShapeError(`network: the standard deviation of τ must be at least 0, got ${config.tau.std}`);
  }
  if (!(config.surrogate.alpha > 0)) {
    throw new ShapeError(`network: the surrogate's slope must be more than 0, got ${config.surrogate.alpha}`);
  }
  if (config.reset.kind === 'soft' && config.reset.potential !== undefined) {
    throw new ShapeError(
      `network: reset.potential belongs to a hard reset, got ${config.reset.potential} for a soft one`,
    );
  }
  const neuron = neuronSpec(config);
  const rest = restingPotential(neuron);
  if (!(rest < neuron.threshold)) {
    throw new ShapeError(
      `network: the reset potential must be below the threshold of ${neuron.threshold}, got ${rest}`,
    );
  }
}

/** A learned τ must be above 1, where its logit w is finite; a fixed one may be 1, for neurons that forget everything in a step. */
export function isPossibleTau(neuron: NeuronSpec['kind'], tauSteps: number): boolean {
  return neuron === 'lif' ? tauSteps >= 1 : tauSteps > 1;
}

/** @throws {ShapeError} if `value` is not a whole number of at least 1 */
export function checkCount(name: string, value: number): void {
  if (!Number.isInteger(value) || value < 1) {
    throw new ShapeError(`network: ${name} must be a whole number of at least 1, got ${value}`);
  }
}
