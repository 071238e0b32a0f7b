import type { NetworkSpec, Reset } from './spec.ts';
import type { State } from './tensor.ts';

/** The neurons of a spiking layer. */
export interface Neurons {
  /** The layer's name in the state, such as `conv.2`. */
  readonly name: string;
  /** [C, H, W]; behind a linear layer [F, 1, 1]. */
  readonly shape: readonly [number, number, number];
  /** 1/τ of each neuron, [C, H, W], also where neurons share a τ. */
  readonly leaks: Float32Array;
  readonly threshold: number;
  readonly reset: Reset;
}

/** A network that is ready to run. To change its neurons, copy it: `{ ...network, neurons }`. */
export interface ForwardNetwork {
  readonly spec: NetworkSpec;
  readonly neurons: readonly Neurons[];
}

/** What the neurons of a layer did. */
export interface LayerTrace {
  /** Membrane potential before the reset, h, [T, C, H, W]. */
  readonly charged: Float32Array;
  /** 1 where a neuron fired: `h ≥ threshold`, [T, C, H, W]. */
  readonly spikes: Uint8Array;
}

/** Everything that happened in a network while it saw one clip. */
export interface Trace {
  readonly steps: number;
  /** One for each spiking layer. */
  readonly layers: readonly LayerTrace[];
  /** Output of the votes at each step, [T, classes]; a class's score up to step t is the mean of the first t. */
  readonly outputs: Float32Array;
  /** Effective synaptic operations of each convolution and linear layer at each step, [T, layers] (docs/cost.md). */
  readonly operations: Float64Array;
}

export function prepareNetwork(_spec: NetworkSpec, _state: State): ForwardNetwork {
  throw new Error('not written yet');
}

export function runForward(_network: ForwardNetwork, _frames: ArrayLike<number>, _steps: number): Trace {
  throw new Error('not written yet');
}

/** One neuron over time. */
export interface NeuronTrace {
  /** Input current x, h, v after the reset, and spikes, each [T]. */
  readonly current: Float32Array;
  readonly charged: Float32Array;
  readonly potential: Float32Array;
  readonly spikes: Uint8Array;
}

/** @param index place of the neuron in [C, H, W] */
export function traceNeuron(_neurons: Neurons, _trace: LayerTrace, _index: number): NeuronTrace {
  throw new Error('not written yet');
}
