import { hasErrorCode } from '../../../base/errors.ts';
import type { State, Tensor } from '../../../formats/tensor.ts';
import { type NetworkSpec, repeatedSteps, stateEntries } from '../../spec.ts';
import { checkFrames, checkLabels, checkState, lambdasOf } from '../checks.ts';
import {
  type EngineSession,
  type Forward,
  type Frames,
  type Hyperparameters,
  type OptimiserState,
  StepAbortedError,
  type StepResult,
  type TrainingBatch,
} from '../engine.ts';
import type { NativeFrames, NativeNetwork, NativeSlot } from './addon-types.ts';
import { batchTooLarge, countBytes, explainNativeError, largestBatch } from './memory.ts';

interface BatchSize {
  readonly samples: number;
  /** T. */
  readonly steps: number;
  readonly training: boolean;
}

interface SessionMemory {
  /** What can still be had, in bytes. */
  readonly available: () => number;
  /** The most that batches may take, in bytes. */
  readonly most?: number | undefined;
}

/** A network in the native engine, whose memory is outside of JavaScript's; `dispose` releases it. */
export class NativeSession implements EngineSession {
  readonly #spec: NetworkSpec;
  readonly #network: NativeNetwork;
  readonly #counters: NormCounters;
  readonly #available: () => number;
  readonly #mostBytes: number;
  #step: number;
  /** What the network has reserved so far. */
  #reservedBytes = 0;
  #isAborted = false;
  #isDisposed = false;

  private constructor(
    spec: NetworkSpec,
    network: NativeNetwork,
    state: State,
    step: number,
    { available, most = Number.POSITIVE_INFINITY }: SessionMemory,
  ) {
    this.#spec = spec;
    this.#network = network;
    this.#available = available;
    this.#mostBytes = most;
    this.#step = step;
    this.#counters = new NormCounters(spec, state);
  }

  /**
   * @param openNetwork opens a network of this spec, which belongs to the session
   * @throws {ShapeError} if a tensor of the network is missing or has another shape
   */
  static async open(
    spec: NetworkSpec,
    openNetwork: (spec: NetworkSpec) => NativeNetwork | Promise<NativeNetwork>,
    state: State,
    optimiser: OptimiserState | undefined,
    memory: SessionMemory,
  ): Promise<NativeSession> {
    let network: NativeNetwork | undefined;
    try {
      network = await openNetwork(spec);
      checkState(spec, state);
      const session = new NativeSession(spec, network, state, optimiser?.step ?? 0, memory);
      for (const { name, role, dtype } of stateEntries(spec)) {
        if (dtype === 'I64') continue;
        await session.#load(name, 'value', state);
        if (optimiser === undefined || role !== 'parameter') continue;
        await session.#load(name, 'first', optimiser.first);
        await session.#load(name, 'second', optimiser.second);
      }
      return session;
    } catch (error) {
      network?.dispose();
      throw explainNativeError(error);
    }
  }

  async trainStep(
    batch: TrainingBatch,
    hyperparameters: Hyperparameters,
    { keepGradients = false }: { keepGradients?: boolean } = {},
  ): Promise<StepResult> {
    this.#enterPass();
    checkFrames(this.#spec, batch.frames);
    checkLabels(this.#spec, batch);
    const { learningRate, tauRate = 1, regularise = 'w', loss: of = 'rate' } = hyperparameters;
    const lambdas = Float64Array.from(lambdasOf(this.#spec, hyperparameters));
    const samples = batch.frames.shape[0];
    const steps = this.#stepsOf(batch.frames);
    const { loss, rates, outputs, spikeRates, gradients } = await this.#run(
      { samples, steps, training: true },
      async () => {
        const result = await this.#network.trainStep(
          framesOf(batch.frames),
          samples,
          steps,
          batch.labels,
          batch.dropoutMasks,
          { learningRate, tauRate, lambdas, regularise, loss: of, step: this.#step + 1, keepGradients },
        );
        return { ...result, gradients: keepGradients ? await this.#parameters('gradient') : undefined };
      },
    );
    this.#step += 1;
    this.#counters.advance(steps);
    return {
      loss,
      rates,
      outputs,
      spikeRates: [...spikeRates],
      ...(gradients === undefined ? {} : { gradients }),
    };
  }

  async evaluate(frames: Frames): Promise<Forward> {
    this.#enterPass();
    checkFrames(this.#spec, frames);
    const samples = frames.shape[0];
    const steps = this.#stepsOf(frames);
    const { rates, outputs, spikeRates, operations } = await this.#run(
      { samples, steps, training: false },
      () => this.#network.evaluate(framesOf(frames), samples, steps),
    );
    return {
      rates,
      outputs,
      spikeRates: [...spikeRates],
      ...(operations && { operations: [...operations] }),
    };
  }

  async state(): Promise<State> {
    this.#enter();
    const state = new Map<string, Tensor>();
    for (const { name, shape, dtype } of stateEntries(this.#spec)) {
      if (dtype === 'I64') {
        state.set(name, { dtype, shape, data: BigInt64Array.of(this.#counters.value(name)) });
      } else state.set(name, { dtype, shape, data: await this.#network.getTensor(name, 'value') });
    }
    return state;
  }

  async optimiserState(): Promise<OptimiserState> {
    this.#enter();
    const [first, second] = [await this.#parameters('first'), await this.#parameters('second')];
    return { step: this.#step, first, second };
  }

  abort(): void {
    this.#isAborted = true;
    if (!this.#isDisposed) this.#network.abort();
  }

  /** A step or an evaluation in progress rejects with a `StepAbortedError`. */
  dispose(): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    this.#network.dispose();
  }

  async #load(name: string, slot: NativeSlot, state: State): Promise<void> {
    const tensor = state.get(name);
    if (tensor?.dtype === 'F32') await this.#network.setTensor(name, slot, tensor.data);
  }

  async #parameters(slot: NativeSlot | 'gradient'): Promise<State> {
    const state = new Map<string, Tensor>();
    for (const { name, role, shape } of stateEntries(this.#spec)) {
      if (role !== 'parameter') continue;
      state.set(name, { dtype: 'F32', shape, data: await this.#network.getTensor(name, slot) });
    }
    return state;
  }

  /** T: a still image has a single frame, which the network repeats. */
  #stepsOf(frames: Frames): number {
    return repeatedSteps(this.#spec) ?? frames.shape[1];
  }

  /**
   * Computes a batch, for which the network itself reserves the memory. It is checked beforehand whether there is enough: a system that
   * overcommits memory would kill the process midway.
   *
   * @throws {ReproError} `out-of-memory`
   * @throws {StepAbortedError}
   */
  async #run<T>({ samples, steps, training }: BatchSize, work: () => Promise<T>): Promise<T> {
    const bytesFor = (count: number) => countBytes(this.#network, count, steps, training);
    let neededBytes = 0;
    let availableBytes = this.#reservedBytes;
    const explain = async (atMost: number, cause?: unknown) => {
      const fitting = await largestBatch(samples - 1, atMost, bytesFor);
      return batchTooLarge(samples, neededBytes, availableBytes, fitting, cause);
    };
    try {
      neededBytes = await bytesFor(samples);
      // The network gives up the old memory for the new.
      if (neededBytes > this.#reservedBytes) {
        availableBytes = Math.min(this.#available() + this.#reservedBytes, this.#mostBytes);
      }
      if (neededBytes > availableBytes) throw await explain(availableBytes);
      if (this.#isAborted || this.#isDisposed) throw new StepAbortedError();
      const result = await work();
      // The session was disposed of just before the end, and with it what the batch changed.
      if (this.#isDisposed) throw new StepAbortedError();
      this.#reservedBytes = Math.max(this.#reservedBytes, neededBytes);
      return result;
    } catch (error) {
      if (hasErrorCode(error, 'PLIF_ABORTED')) throw new StepAbortedError(error);
      if (!hasErrorCode(error, 'PLIF_OUT_OF_MEMORY')) throw explainNativeError(error);
      this.#reservedBytes = 0;
      if (this.#isDisposed) throw new StepAbortedError(error);
      // The limit is unknown: half of what was refused is a guess.
      throw await explain(neededBytes / 2, error);
    }
  }

  #enterPass(): void {
    this.#enter();
    if (this.#isAborted) throw new StepAbortedError();
  }

  #enter(): void {
    if (this.#isDisposed) throw new Error('This session was disposed; open the network again.');
  }
}

/** The engine reads counts of up to 16 bits; larger ones are exact in single precision up to 2²⁴. */
function framesOf({ data }: Frames): NativeFrames {
  return data instanceof Uint32Array ? Float32Array.from(data) : data;
}

/** How often each batch norm ran in training, which PyTorch keeps as 64-bit integers: once per time step, or once before a `repeat`. */
class NormCounters {
  readonly #values = new Map<string, bigint>();
  /** The counters of batch norms before the `repeat`. */
  readonly #once = new Set<string>();

  /** @param state has every buffer of the network */
  constructor(spec: NetworkSpec, state: State) {
    const repetition = spec.layers.findIndex(({ kind }) => kind === 'repeat');
    for (const [index, layer] of spec.layers.entries()) {
      if (layer.kind !== 'batch-norm') continue;
      const name = `${layer.name}.num_batches_tracked`;
      const tensor = state.get(name);
      this.#values.set(name, tensor?.dtype === 'I64' ? (tensor.data[0] ?? 0n) : 0n);
      if (index < repetition) this.#once.add(name);
    }
  }

  value(name: string): bigint {
    return this.#values.get(name) ?? 0n;
  }

  /** Counts one training step of T time steps. */
  advance(steps: number): void {
    for (const [name, value] of this.#values) {
      this.#values.set(name, value + (this.#once.has(name) ? 1n : BigInt(steps)));
    }
  }
}
