import type { Tensor, Tensor2D } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { stateEntries } from '../../snn/parameters.ts';
import type { NetworkSpec } from '../../snn/spec.ts';
import type { State } from '../../snn/tensor.ts';
import { ShapeError } from '../../snn/tensor.ts';
import type { NormObservation } from './network.ts';
import { toTensor } from './transfer.ts';

/** The buffers of a network: batch norm's running statistics, for evaluation. `dispose` releases the tensors. */
export class RunningStatistics {
  /** Mean and unbiased variance, [C] each, by name. */
  readonly #tensors = new Map<string, Tensor>();
  /** How often each batch norm ran, by name; PyTorch stores these as 64-bit integers. */
  readonly #counters = new Map<string, bigint>();

  /** @param state has every buffer of the network */
  constructor(spec: NetworkSpec, state: State) {
    for (const { name } of stateEntries(spec).filter(({ role }) => role === 'buffer')) {
      const tensor = state.get(name);
      if (tensor?.dtype === 'I64') this.#counters.set(name, tensor.data[0] ?? 0n);
      else this.#tensors.set(name, toTensor(state, name));
    }
  }

  tensor(name: string): Tensor | undefined {
    return this.#tensors.get(name);
  }

  counter(name: string): bigint | undefined {
    return this.#counters.get(name);
  }

  /**
   * `running = (1 − m) · running + m · observed` with the unbiased variance, as PyTorch's BatchNorm does, once per observed time
   * step: T times after a `repeat` and for event frames, once before it.
   */
  observe(observations: readonly NormObservation[]): void {
    for (const { layer, mean, variance, rows } of observations) {
      const [steps] = mean.shape;
      const unbiased = rows / (rows - 1);
      this.#smooth(`${layer.name}.running_mean`, mean, 1, layer.momentum);
      this.#smooth(`${layer.name}.running_var`, variance, unbiased, layer.momentum);
      const counter = `${layer.name}.num_batches_tracked`;
      this.#counters.set(counter, (this.#counters.get(counter) ?? 0n) + BigInt(steps));
    }
  }

  dispose(): void {
    tf.dispose([...this.#tensors.values()]);
  }

  /** @param observed [T, C], to be multiplied by `factor` */
  #smooth(name: string, observed: Tensor2D, factor: number, momentum: number): void {
    const running = this.#tensors.get(name);
    if (running === undefined) throw new ShapeError(`${name}: the network has no such tensor`);
    const updated = tf.tidy(() =>
      tf
        .unstack(observed)
        .reduce(
          (value: Tensor, step) => tf.add(tf.mul(value, 1 - momentum), tf.mul(step, momentum * factor)),
          running,
        ),
    );
    tf.dispose(running);
    this.#tensors.set(name, updated);
  }
}
