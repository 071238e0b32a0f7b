import type {
  NativeAddon,
  NativeForward,
  NativeNetwork,
  NativeStepOptions,
} from '../../../src/engines/native/addon-types.ts';

export interface FakeAddonOptions {
  readonly instructionSets?: readonly string[];
  /** The memory of a batch, in bytes. */
  readonly bytesFor?: (samples: number, steps: number, training: boolean) => number;
  /** Batches that need more than this are rejected. */
  readonly capacityBytes?: number;
  /** What a training step or an evaluation does before it ends. */
  readonly onStep?: (call: StepCall) => Promise<void> | void;
}

export interface StepCall {
  readonly frames: unknown;
  readonly samples: number;
  readonly steps: number;
  readonly labels: Int32Array;
  readonly masks: readonly Float32Array[];
  readonly options: NativeStepOptions;
}

type OpenOptions = Parameters<NativeAddon['open']>[0];
type NeuronOptions = Parameters<NativeAddon['runNeurons']>[0];

/** An addon without any network: it keeps tensors by name and slot, and records how it is called. */
export class FakeAddon implements NativeAddon {
  readonly sourceDigest = '0123456789ab';
  readonly compiler = 'GCC 12.4.0';
  readonly instructionSets: readonly string[];
  readonly opened: OpenOptions[] = [];
  readonly networks: FakeNetwork[] = [];
  readonly neuronCalls: NeuronOptions[] = [];
  readonly #options: FakeAddonOptions;

  constructor(options: FakeAddonOptions = {}) {
    this.#options = options;
    this.instructionSets = options.instructionSets ?? ['baseline', 'avx2', 'avx512'];
  }

  open(options: OpenOptions): NativeNetwork {
    this.opened.push(options);
    const network = new FakeNetwork(this.#options);
    this.networks.push(network);
    return network;
  }

  async runNeurons(options: NeuronOptions) {
    this.neuronCalls.push(options);
    const { current, logits } = options;
    return {
      spikes: current.map(() => 1),
      potentials: current.map(() => 0.5),
      currentGradient: current.map(() => 2),
      alphaGradient: 3,
      ...(logits === undefined ? {} : { logitsGradient: logits.map(() => 4) }),
    };
  }
}

export class FakeNetwork implements NativeNetwork {
  readonly tensors = new Map<string, Float32Array>();
  readonly steps: StepCall[] = [];
  isDisposed = false;
  #abort: (() => void) | undefined;
  readonly #options: FakeAddonOptions;

  constructor(options: FakeAddonOptions) {
    this.#options = options;
  }

  setTensor(name: string, slot: string, data: Float32Array): void {
    this.tensors.set(`${name} ${slot}`, data.slice());
  }

  getTensor(name: string, slot: string): Float32Array {
    const found = this.tensors.get(`${name} ${slot}`) ?? this.tensors.get(`${name} value`);
    if (found === undefined) throw Object.assign(new Error(`no ${name}`), { code: 'PLIF_SHAPE' });
    return found.slice();
  }

  bytesFor(samples: number, steps: number, training: boolean): number {
    return this.#options.bytesFor?.(samples, steps, training) ?? samples;
  }

  async trainStep(
    frames: unknown,
    samples: number,
    steps: number,
    labels: Int32Array,
    masks: readonly Float32Array[],
    options: NativeStepOptions,
  ): Promise<NativeForward & { loss: number }> {
    const call = { frames, samples, steps, labels, masks, options };
    this.steps.push(call);
    await this.#pass(call, true);
    return { loss: 0.25, ...forward(samples, steps) };
  }

  async evaluate(frames: unknown, samples: number, steps: number): Promise<NativeForward> {
    const nothing = { labels: new Int32Array(), masks: [] };
    const call = { frames, samples, steps, ...nothing, options: undefined as never };
    this.steps.push(call);
    await this.#pass(call, false);
    return forward(samples, steps);
  }

  abort(): void {
    this.#abort?.();
  }

  dispose(): void {
    this.abort();
    this.isDisposed = true;
  }

  async #pass(call: StepCall, training: boolean): Promise<void> {
    const { capacityBytes = Number.POSITIVE_INFINITY } = this.#options;
    if (this.bytesFor(call.samples, call.steps, training) > capacityBytes) {
      throw Object.assign(new Error('out of memory'), { code: 'PLIF_OUT_OF_MEMORY' });
    }
    await Promise.race([
      this.#options.onStep?.(call),
      new Promise((_, reject) => {
        this.#abort = () => reject(Object.assign(new Error('aborted'), { code: 'PLIF_ABORTED' }));
      }),
    ]);
  }
}

function forward(samples: number, steps: number): NativeForward {
  return {
    rates: new Float32Array(samples * 3).fill(0.5),
    outputs: new Float32Array(samples * steps * 3).fill(0.5),
    spikeRates: Float64Array.of(0.1, 0.2),
  };
}
