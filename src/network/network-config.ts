import { ShapeError } from '../formats/tensor.ts';
import type { Init, NeuronSpec, Reset, Surrogate, TauSpec } from './spec.ts';

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
  /** Output channels of every convolution; no effect with `layers: 0`. */
  readonly channels: number;
  /**
   * Event frames only: the number of `conv - batch norm - neuron - pool` blocks; each halves height and width, rounding down. With 0, the
   * first linear layer reads the frames.
   */
  readonly layers?: number;
  /** Still images only: T, the number of time steps for which the image is shown. Event frames have their own T. */
  readonly steps?: number;
  readonly neuron: NeuronSpec['kind'];
  readonly tau: TauSpec;
  /** Default: `kaiming`. */
  readonly init?: Init;
  /** `potential` is the target of a hard reset; default 0. */
  readonly reset: { readonly kind: Reset['kind']; readonly detach: boolean; readonly potential?: number };
  readonly surrogate: Surrogate;
  readonly pooling: 'max' | 'average';
  readonly threshold?: number;
  /**
   * Width of the hidden linear layer, or of each of several. Default: a quarter of the flattened features for event frames (512 in the
   * thesis), and 2048 for still images.
   */
  readonly hidden?: number | readonly number[];
  /** Whether the neurons of each hidden linear layer also get their layer's spikes of the step before (`spec.ts`). Default: false. */
  readonly recurrent?: boolean;
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
  const { classes, channels, layers = 1, steps = 1, votes = 1, surrogate } = config;
  const [inputs, height, width] = config.input;
  const counts = { inputs, height, width, classes, channels, layers, steps, votes };
  const hidden = [config.hidden ?? 1].flat();
  const { dropout } = { ...networkDefaults, ...config };
  const { kind, tau, threshold, reset } = neuronSpec(config);
  const rest = reset.kind === 'hard' ? reset.potential : 0;
  const { potential } = config.reset;
  // A learned τ must be above 1, where its logit w is finite; a fixed one may be 1, for neurons that forget everything in a step.
  const isPossibleTau = kind === 'lif' ? tau.mean >= 1 : tau.mean > 1;
  const leastTau = kind === 'lif' ? 'at least' : 'more than';
  const { values = [] } = tau;
  const sizes = [tau.mean, tau.std].map((size) => size.toFixed(3)).join(' and ');
  const sizesOfValues = [mean(values), Math.sqrt(mean(values.map((value) => (value - mean(values)) ** 2)))]
    .map((size) => size.toFixed(3))
    .join(' and ');
  const demands: readonly (readonly [isMet: boolean, key: string, demand: string])[] = [
    [hidden.length > 0, 'hidden', 'hidden must name at least one layer, got []'],
    ...[...Object.entries(counts), ...hidden.map((width) => ['hidden', width] as const)].map(
      ([key, value]) => {
        const least = key === 'layers' ? 0 : 1;
        const isMet = Number.isInteger(value) && value >= least;
        return [isMet, key, `${key} must be a whole number from ${least}, got ${value}`] as const;
      },
    ),
    [dropout >= 0 && dropout < 1, 'dropout', `dropout must be at least 0 and below 1, got ${dropout}`],
    [surrogate.alpha > 0, 'surrogate.alpha', `surrogate.alpha must be more than 0, got ${surrogate.alpha}`],
    [tau.std >= 0, 'tau.std', `tau.std must be at least 0, got ${tau.std}`],
    [isPossibleTau, 'tau.mean', `τ must be ${leastTau} 1 time step, got a mean of ${tau.mean}`],
    [
      values.every((value) => value > 1),
      'tau.values',
      `tau.values must be more than 1, got ${values.join(', ')}`,
    ],
    [
      values.length === 0 || sizes === sizesOfValues,
      'tau.values',
      `tau.mean and tau.std must be those of tau.values, ${sizesOfValues}, got ${sizes}`,
    ],
    [
      config.init !== 'gain-matched' || kind === 'lif' || tau.per !== 'neuron' || config.layers === 0,
      'init',
      'init: gain-matched with a τ per neuron needs linear layers alone (layers: 0), as the neurons of a map share their weights',
    ],
    [threshold > 0, 'threshold', `threshold must be more than 0, got ${threshold}`],
    [
      reset.kind === 'hard' || potential === undefined,
      'reset.potential',
      `reset.potential belongs to a hard reset, got ${potential} for a soft one`,
    ],
    [
      rest < threshold,
      'reset.potential',
      `the reset potential must be below the threshold of ${threshold}, got ${rest}`,
    ],
  ];
  for (const [isMet, key, demand] of demands) if (!isMet) throw new ShapeError(`network: ${demand}`, { key });
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
