import type {
  NativeAddon,
  NativeForward,
  NativeNetwork,
} from '../../../../src/network/engines/native/addon-types.ts';

export interface FakeAddonOptions {
  /** The memory of a batch, in bytes. */
  readonly bytesFor?: NativeNetwork['bytesFor'];
  /** Batches that need more than this are rejected. */
  readonly capacityBytes?: number;
  /** What a training step or an evaluation does before it ends. */
  readonly onPass?: () => void;
}

type OpenOptions = Parameters<NativeAddon['open']>[0];

/** An addon without any network: it records what is opened, and answers with numbers of the right shape. */
export class FakeAddon implements NativeAddon {
  readonly sourceDigest = '0123456789ab';
  readonly files: readonly string[] = [];
  readonly stamp = '';
  readonly compiler = 'GCC 12.4.0';
  readonly instructionSets = ['baseline', 'avx2', 'avx512'];
  readonly opened: OpenOptions[] = [];
  readonly networks: FakeNetwork[] = [];
  readonly #options: FakeAddonOptions;

  constructor(options: FakeAddonOptions = {}) {
    this.#options = options;
  }

  open(options: OpenOptions): NativeNetwork {
    this.opened.push(options);
    const network = new FakeNetwork(this.#options);
    this.networks.push(network);
    return network;
  }

  runNeurons(): never {
    throw new Error('not to be called');
  }
}

class FakeNetwork implements NativeNetwork {
  passes = 0;
  isDisposed = false;
  readonly #options: FakeAddonOptions;

  constructor(options: FakeAddonOptions) {
    this.#options = options;
  }

  setTensor(): void {}

  getTensor(): Float32Array {
    return new Float32Array(1);
  }

  bytesFor(samples: number, steps: number, training: boolean) {
    return this.#options.bytesFor?.(samples, steps, training) ?? samples;
  }

  async trainStep(_frames: unknown, samples: number, steps: number) {
    return { loss: 0.25, ...(await this.#pass(samples, steps, true)) };
  }

  evaluate(_frames: unknown, samples: number, steps: number) {
    return this.#pass(samples, steps, false);
  }

  abort(): void {}

  dispose(): void {
    this.isDisposed = true;
  }

  async #pass(samples: number, steps: number, training: boolean): Promise<NativeForward> {
    this.passes++;
    const { capacityBytes = Number.POSITIVE_INFINITY, onPass } = this.#options;
    if ((await this.bytesFor(samples, steps, training)) > capacityBytes) {
      throw Object.assign(new Error('out of memory'), { code: 'PLIF_OUT_OF_MEMORY' });
    }
    onPass?.();
    return {
      rates: new Float32Array(samples * 3).fill(0.5),
      outputs: new Float32Array(samples * steps * 3).fill(0.5),
      spikeRates: Float64Array.of(0.1, 0.2),
    };
  }
}
