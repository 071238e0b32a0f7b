import type { NetworkSpec } from '../../snn/spec.ts';
import type { State } from '../../snn/tensor.ts';

/** How often each batch norm ran in training, which PyTorch keeps as 64-bit integers: once per time step, or once before a `repeat`. */
export class NormCounters {
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
