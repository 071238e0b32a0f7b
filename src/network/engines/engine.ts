import type { State } from '../../formats/tensor.ts';
import type { NetworkSpec, NeuronSpec } from '../spec.ts';

/** Event counts, possibly normalised, [N, T, P, H, W] in C order; still images are [N, 1, C, H, W]. */
export interface Frames {
  readonly shape: readonly [number, number, number, number, number];
  readonly data: Uint8Array | Uint16Array | Uint32Array | Float32Array;
}

export interface TrainingBatch {
  readonly frames: Frames;
  /** [N], 0-based. */
  readonly labels: Int32Array;
  /** One per dropout layer in the order of the network, [N, features], already divided by 1 - p; the same at all T steps. */
  readonly dropoutMasks: readonly Float32Array[];
}

export interface Hyperparameters {
  readonly learningRate: number;
  /** Adam's steps of w are multiplied by it (default 1); 0 leaves w as it is. */
  readonly tauRate?: number;
  /**
   * λ in the regulariser Σ λ · Var(w) over spiking layers with τ per channel or neuron (unbiased variance): one for all, or a list with one
   * for each spiking layer of the network; 0 disables it.
   */
  readonly regulariseTau: number | readonly number[];
  /** The quantity whose variance is taken: the logits w (the default, as in the published code) or τ itself (as in the paper). */
  readonly regularise?: 'w' | 'tau';
  /** The squared error of the mean rate (the default, as in the published code), or the mean over the steps of each step's (as in the paper). */
  readonly loss?: 'rate' | 'step';
}

export interface Forward {
  /** Firing rates of the classes, [N, classes]. */
  readonly rates: Float32Array;
  /** What the rates are the means of: the share of each class's output neurons that spike at each step, [N, T, classes]. */
  readonly outputs: Float32Array;
  /** The share of neurons that spike per step, one number per spiking layer. */
  readonly spikeRates: readonly number[];
  /**
   * Effective synaptic operations of the whole batch, one number for each of `listSynapses`: the fan-outs of all its inputs other
   * than 0, exact up to 2⁵³. Only of an evaluation; `webgpu` does not count them.
   */
  readonly operations?: readonly number[];
}

export interface StepResult extends Forward {
  /** The mean squared error against one-hot labels, of the rates or of each step's outputs, plus the regulariser. */
  readonly loss: number;
  /** dLoss/dParameter by parameter name; only on request. */
  readonly gradients?: State;
}

/** Adam's state: first and second moments by parameter name, and the number of steps taken. */
export interface OptimiserState {
  readonly step: number;
  readonly first: State;
  readonly second: State;
}

/** What a training step or an evaluation rejects with after `abort`; the session's state is unchanged. */
export class StepAbortedError extends Error {
  override readonly name: string = 'StepAbortedError';

  constructor(cause?: unknown) {
    super('the computation was aborted', { cause });
  }
}

/** A network loaded into an engine. It does not support concurrent calls. */
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
  /**
   * Makes the step or evaluation in progress, and any later one, reject with a `StepAbortedError` soon, unless it is about to end. Engines
   * that return to the event loop only between steps do not have it.
   */
  abort?(): void;
  dispose(): void;
}

/** What evaluates: any session, or something that cannot train. */
export type EvaluationSession = Pick<EngineSession, 'evaluate' | 'abort' | 'dispose'>;

export interface EngineDescription {
  /** `webgpu`, `native`, `wasm` or `tfjs`; of an evaluation also `nir`. */
  readonly name: string;
  /** The hardware it runs on: `cpu`, `cuda`, `gpu`. */
  readonly backend: string;
  readonly version: string;
  /** Why it was chosen, in one sentence. */
  readonly reason: string;
}

/** The line that a stage logs: `tfjs 4.22.0 on cpu: no CUDA: …`. */
export function describeEngine({ name, version, backend, reason }: EngineDescription): string {
  return `${name} ${version} on ${backend}: ${reason}`;
}

/** Whether `auto` found only the engine that takes thousands of times as long as the others. People should know this while it runs. */
export function isLastResort(choice: EngineChoice, { name, backend }: EngineDescription): boolean {
  return choice === 'auto' && name === 'tfjs' && backend === 'cpu';
}

/** Whether two engines give the same numbers, to the last digit. */
export function isSameEngine(
  one: Omit<EngineDescription, 'reason'>,
  other: Omit<EngineDescription, 'reason'>,
): boolean {
  return one.name === other.name && one.backend === other.backend && one.version === other.version;
}

/** One isolated layer of neurons, for the parity suite: `loss = Σ spikes · coefficients`. */
export interface NeuronPass {
  readonly neuron: NeuronSpec;
  /** [T, N, ...neurons]: [T, N, C, H, W] or [T, N, F]. */
  readonly shape: readonly number[];
  /** Input current and the loss's coefficients, each of `shape`. */
  readonly current: Float32Array;
  readonly coefficients: Float32Array;
  /** w, the logit of 1/τ: one number, or one per neuron ([1, ...neurons]). PLIF only; LIF takes its τ from `neuron`. */
  readonly logits?: Float32Array;
}

export interface NeuronPassResult {
  /** 0 or 1, and the membrane potential after the reset; each [T, N, ...neurons]. */
  readonly spikes: Float32Array;
  readonly potentials: Float32Array;
  /** dLoss/dx like `current`, dLoss/dα, and dLoss/dw like `logits` (undefined for LIF). */
  readonly gradients: {
    readonly current: Float32Array;
    readonly alpha: number;
    readonly logits: Float32Array | undefined;
  };
}

/** What an engine is chosen for. */
export interface Workload {
  readonly spec: NetworkSpec;
  /** T. */
  readonly steps: number;
  /** Clips in a batch of a training, with its evaluations, and of a separate evaluation; 0 if there is none. */
  readonly trainingBatch: number;
  readonly evaluationBatch: number;
}

/** Computes training steps; every engine passes the same parity suite. */
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

/**
 * The engines to choose from for training and evaluation. `auto` is the fastest on this machine: a GPU that a run has tried, else `native`,
 * else `wasm`, else `tfjs-cpu`. `webgpu`: kernels for any GPU, through the package `webgpu`. `native`: C++ on the CPU. `wasm`: the same in
 * WebAssembly, with the same digits on every machine. `tfjs`: TensorFlow.js on CUDA if that works, otherwise on the CPU. `tfjs-cpu` uses the
 * CPU without looking for a GPU.
 */
export const engineChoices = ['auto', 'webgpu', 'native', 'wasm', 'tfjs', 'tfjs-cpu'] as const;

export type EngineChoice = (typeof engineChoices)[number];

/**
 * How many times as long WebAssembly takes on one core as the native engine: for profile quick's network, and for the thesis'. A test
 * compares these numbers with the measured ones in bench/README.md.
 */
export const WASM_SLOWDOWN = { least: 2.6, most: 3.6 };
