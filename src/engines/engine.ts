import type { NetworkSpec, NeuronSpec } from '../snn/spec.ts';
import type { State } from '../snn/tensor.ts';

/** Event counts, or counts normalised, [N, T, P, H, W] in C order; still images are [N, 1, C, H, W]. */
export interface Frames {
  readonly shape: readonly [number, number, number, number, number];
  readonly data: Uint8Array | Uint16Array | Uint32Array | Float32Array;
}

export interface TrainingBatch {
  readonly frames: Frames;
  /** [N], 0-based. */
  readonly labels: Int32Array;
  /** One for each dropout layer in the order of the network, [N, features], already divided by 1 - p; held over the T steps. */
  readonly dropoutMasks: readonly Float32Array[];
}

export interface Hyperparameters {
  readonly learningRate: number;
  /** λ of the regulariser λ · Σ Var(w) over spiking layers with one τ a neuron (unbiased variance); 0 leaves it out. */
  readonly regulariseTau: number;
  /** What the regulariser takes the variance of: the logits w (the default, as the published code does) or τ itself (as the paper writes). */
  readonly regularise?: 'w' | 'tau';
}

export interface Forward {
  /** Firing rates of the classes, [N, classes]. */
  readonly rates: Float32Array;
  /** Share of neurons that spike a step, one figure for each spiking layer. */
  readonly spikeRates: readonly number[];
}

export interface StepResult extends Forward {
  /** Mean squared error against one-hot labels plus the regulariser. */
  readonly loss: number;
  /** dLoss/dParameter under the parameters' names; only when asked for. */
  readonly gradients?: State;
}

/** Adam's memory: first and second moments under the parameters' names, and the number of steps taken. */
export interface OptimiserState {
  readonly step: number;
  readonly first: State;
  readonly second: State;
}

/** A network loaded into an engine. Not for use by two callers at once. */
export interface EngineSession {
  /** Forward, loss, backward, one Adam step (β 0.9/0.999, ε 1e-8); updates batch norm's running statistics. */
  trainStep(
    batch: TrainingBatch,
    hyperparameters: Hyperparameters,
    options?: { keepGradients?: boolean },
  ): Promise<StepResult>;
  /** Evaluation mode: running statistics, no dropout, nothing changes. */
  evaluate(frames: Frames): Promise<Forward>;
  /** A copy of parameters and buffers. */
  state(): Promise<State>;
  optimiserState(): Promise<OptimiserState>;
  dispose(): void;
}

export interface EngineDescription {
  /** `tfjs`, later `native`. */
  readonly name: string;
  /** What it runs on: `cpu`, `cuda`. */
  readonly backend: string;
  readonly version: string;
  /** Why this one was taken, in one sentence. */
  readonly reason: string;
}

/** The line that a stage says of its engine: `tfjs 4.22.0 on cpu: no CUDA: …`. */
export function describeEngine({ name, version, backend, reason }: EngineDescription): string {
  return `${name} ${version} on ${backend}: ${reason}`;
}

/** One layer of neurons by itself, as the parity suite looks at it: `loss = Σ spikes · coefficients`. */
export interface NeuronPass {
  readonly neuron: NeuronSpec;
  /** [T, N, ...neurons]: [T, N, C, H, W] or [T, N, F]. */
  readonly shape: readonly number[];
  /** Input current and the loss's coefficients, each of `shape`. */
  readonly current: Float32Array;
  readonly coefficients: Float32Array;
  /** w, the logit of 1/τ: one number, or one a neuron ([1, ...neurons]); of LIF, that of its fixed τ. */
  readonly logits: Float32Array;
}

/** What a layer of neurons makes of a `NeuronPass`. */
export interface NeuronPassResult {
  /** 0 or 1, and the membrane potential after the reset; each [T, N, ...neurons]. */
  readonly spikes: Float32Array;
  readonly potentials: Float32Array;
  /** dLoss/dx as `current`, dLoss/dw as `logits` (of LIF too, where nothing learns it), dLoss/dα. */
  readonly gradients: {
    readonly current: Float32Array;
    readonly logits: Float32Array;
    readonly alpha: number;
  };
}

/** What computes a training step; every engine passes one parity suite. */
export interface Engine {
  readonly description: EngineDescription;
  /** @throws {ShapeError} if a tensor of the network is missing from `state` or has another shape */
  open(spec: NetworkSpec, state: State, optimiser?: OptimiserState): Promise<EngineSession>;
  /**
   * Runs one layer of neurons forward and backward, with the code that training uses.
   *
   * @throws {ShapeError} if a length does not fit the shape
   */
  runNeurons(pass: NeuronPass): Promise<NeuronPassResult>;
}
