import type { Layer, NeuronSpec } from '../../spec.ts';

/** The side of Winograd's output tile. */
export type WinogradTile = 2 | 4;

/** What the compiled addon exports (native/src/addon), and plif.wasm (native/wasm/instance.mjs). Arrays are in PyTorch's layouts and C order. */
export interface NativeAddon {
  /** The digest of the sources that it was compiled from (native/scripts/source-digest.cjs), to tell whether it is to be compiled again. */
  readonly sourceDigest: string;
  /** The files that compute, absolute. */
  readonly files: readonly string[];
  /** Of these files before they were loaded: see `stampFiles`. */
  readonly stamp: string;
  /** What compiled it: `GCC 12.4.0`. */
  readonly compiler: string;
  /** What this processor can run, slowest first: `baseline`, `avx2`, `avx512`; or `wasm`. */
  readonly instructionSets: readonly string[];
  /** A network whose parameters and moments are zero. */
  open(options: {
    readonly layers: readonly Layer[];
    /** [channels, height, width] of one frame. */
    readonly input: readonly [number, number, number];
    readonly classes: number;
    readonly threads: number;
    readonly instructionSet: string;
    /** The side of Winograd's output tile in input gradients. */
    readonly winogradTile: WinogradTile;
  }): Awaitable<NativeNetwork>;
  /** One isolated layer of neurons, as `Engine.runNeurons`. */
  runNeurons(options: {
    readonly neuron: NeuronSpec;
    /** [T, N, ...neurons]. */
    readonly shape: readonly number[];
    readonly current: Float32Array;
    readonly coefficients: Float32Array;
    /** w; one number or one per neuron; undefined for LIF. */
    readonly logits: Float32Array | undefined;
    readonly threads: number;
    readonly instructionSet: string;
  }): Promise<NativeNeuronResult>;
}

interface NativeNeuronResult {
  readonly spikes: Float32Array;
  readonly potentials: Float32Array;
  /** dLoss/dx, dLoss/dα and, unless LIF, dLoss/dw. */
  readonly currentGradient: Float32Array;
  readonly alphaGradient: number;
  readonly logitsGradient?: Float32Array;
}

/** What another thread computes is a promise. */
type Awaitable<T> = T | Promise<T>;

/**
 * While a step or an evaluation is in progress, call only `abort` and `dispose`: the compiled addon refuses anything else, WebAssembly
 * answers it afterwards.
 */
export interface NativeNetwork {
  setTensor(name: string, slot: NativeSlot, data: Float32Array): Awaitable<void>;
  /** A copy; `gradient` is that of the last step with `keepGradients`. */
  getTensor(name: string, slot: NativeSlot | 'gradient'): Awaitable<Float32Array>;
  /**
   * The memory that a batch needs besides the parameters.
   *
   * @param steps T: the number of frames, or for still images that of `repeat`; the same below
   */
  bytesFor(samples: number, steps: number, training: boolean): Awaitable<number>;
  /**
   * Allocates that memory, unless it is there; then forward, loss, backward and Adam.
   *
   * @throws an error with code `PLIF_ABORTED` after `abort`, or `PLIF_OUT_OF_MEMORY`; then nothing has changed, except that the memory of
   * earlier batches is freed if there was not enough for this one
   */
  trainStep(
    frames: NativeFrames,
    samples: number,
    steps: number,
    labels: Int32Array,
    masks: readonly Float32Array[],
    options: NativeStepOptions,
  ): Promise<NativeForward & { readonly loss: number }>;
  evaluate(frames: NativeFrames, samples: number, steps: number): Promise<NativeForward>;
  /** Ends the step or evaluation in progress within a fraction of a second: it is rejected, unless Adam has begun. */
  abort(): void;
  /** Aborts, and frees the memory as soon as nothing is in progress. */
  dispose(): void;
}

/** A tensor's value, or Adam's first or second moment of it. */
export type NativeSlot = 'value' | 'first' | 'second';

/** [N, T, C, H, W], or [N, 1, C, H, W] of still images. */
export type NativeFrames = Uint8Array | Uint16Array | Float32Array;

export interface NativeStepOptions {
  readonly learningRate: number;
  /** The factor of the learning rate for w. */
  readonly tauRate: number;
  /** λ of each spiking layer. */
  readonly lambdas: Float64Array;
  readonly regularise: 'w' | 'tau';
  readonly loss: 'rate' | 'step';
  /** The number of this step, from 1: t in Adam's bias corrections. */
  readonly step: number;
  readonly keepGradients: boolean;
}

export interface NativeForward {
  /** [N, classes]. */
  readonly rates: Float32Array;
  /** [N, T, classes]. */
  readonly outputs: Float32Array;
  /** One per spiking layer. */
  readonly spikeRates: Float64Array;
  /** Effective synaptic operations, one for each of `listSynapses`; only of an evaluation, and not from an earlier build. */
  readonly operations?: Float64Array;
}
