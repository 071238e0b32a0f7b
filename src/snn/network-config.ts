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

/**
 * Checks what all architectures have in common, wherever a configuration comes from: a model's file, a run.json, another's checkpoint, the
 * description of a test vector.
 *
 * @throws {ShapeError} if a number is impossible, alone or with another
 */
export function checkConfig(config: NetworkConfig): void {
  const { classes, channels, layers = 1, steps = 1, hidden = 1, votes = 1, surrogate } = config;
  const [inputs, height, width] = config.input;
  const counts = { inputs, height, width, classes, channels, layers, steps, hidden, votes };
  for (const [key, value] of Object.entries(counts)) {
    if (Number.isInteger(value) && value >= 1) continue;
    throw new ShapeError(`network: ${key} must be a whole number from 1, got ${value}`, { key });
  }
  const { dropout } = { ...networkDefaults, ...config };
  if (!(dropout >= 0 && dropout < 1))
    throw new ShapeError(`network: dropout must be at least 0 and below 1, got ${dropout}`, {
      key: 'dropout',
    });
  if (!(surrogate.alpha > 0))
    throw new ShapeError(`network: surrogate.alpha must be more than 0, got ${surrogate.alpha}`, {
      key: 'surrogate.alpha',
    });
  if (!(config.tau.std >= 0))
    throw new ShapeError(`network: tau.std must be at least 0, got ${config.tau.std}`, { key: 'tau.std' });
  const { kind, tau, threshold, reset } = neuronSpec(config);
  const rest = reset.kind === 'hard' ? reset.potential : 0;
  const { potential } = config.reset;
  if (!isPossibleTau(kind, tau.mean)) {
    const least = kind === 'lif' ? 'at least' : 'more than';
    throw new ShapeError(`network: τ must be ${least} 1 time step, got a mean of ${tau.mean}`, {
      key: 'tau.mean',
    });
  }
  if (reset.kind === 'soft' && potential !== undefined) {
    throw new ShapeError(
      `network: reset.potential belongs to a hard reset, got ${potential} for a soft one`,
      { key: 'reset.potential' },
    );
  }
  if (!(rest < threshold)) {
    throw new ShapeError(
      `network: the reset potential must be below the threshold of ${threshold}, got ${rest}`,
      { key: 'reset.potential' },
    );
  }
}

/** A learned τ must be above 1, where its logit w is finite; a fixed one may be 1, for neurons that forget everything in a step. */
export function isPossibleTau(neuron: NeuronSpec['kind'], tauSteps: number): boolean {
  return neuron === 'lif' ? tauSteps >= 1 : tauSteps > 1;
}
