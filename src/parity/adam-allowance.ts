import type { OptimiserState } from '../engines/engine.ts';
import { tolerances } from './tolerances.ts';

/** Adam's constants as PyTorch has them: decay of the second moment, and what keeps the divisor from 0. */
const beta2 = 0.999;
const epsilon = 1e-8;

/**
 * How far off a parameter may be after some steps of Adam, for no other reason than that its gradients were rounded.
 *
 * A step moves a parameter by `η · m / (√v + ε)`: its gradient is divided by its own usual size √v, so that it moves by about η however
 * small that is. A gradient may be off by δ, a share of the largest in its tensor (`tolerances.sum`, or `shared` for a single number);
 * where √v is no larger than δ, that decides on the step. So each step allows `η · min(1, δ / (√v + ε))` more.
 */
export class AdamAllowance {
  readonly #sums = new Map<string, Float64Array>();

  /** @param optimiser as the step left it */
  addStep(learningRate: number, { step, second }: OptimiserState): void {
    const correction = 1 - beta2 ** step;
    for (const [name, tensor] of second) {
      if (tensor.dtype !== 'F32') continue;
      const sizes = Float64Array.from(tensor.data, (value) => Math.sqrt(value / correction));
      const share = (sizes.length === 1 ? tolerances.shared : tolerances.sum).relative;
      const error = share * sizes.reduce((most, size) => Math.max(most, size), 0);
      const sums = this.#sums.get(name) ?? new Float64Array(sizes.length);
      for (let i = 0; i < sums.length; i++) {
        sums[i] = sums[i]! + learningRate * Math.min(1, error / (sizes[i]! + epsilon));
      }
      this.#sums.set(name, sums);
    }
  }

  /** One number for each element of the parameter; undefined if there is no such parameter. */
  of(name: string): Float64Array | undefined {
    return this.#sums.get(name);
  }
}
