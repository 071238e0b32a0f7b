import type { State } from '../../formats/tensor.ts';

/**
 * How far a value may be from the folder's: by `absolute + relative · m`, where m is the largest magnitude in the folder's tensor.
 * Rounding errors scale with the numbers that were added up, not with what remains of them.
 */
export interface Tolerance {
  readonly relative: number;
  readonly absolute: number;
  /** Whether to add the allowance of `AdamAllowance` for each element. */
  readonly adam?: boolean;
}

/**
 * The only place where tolerances are defined. Single precision has 24 bits, 6e-8 of a number; PyTorch, the kernels and the composed
 * operations add up in different orders. Each says why it is as much, and not more. docs/parity.md has the largest differences that were
 * measured: those of `potential`, `shared`, `loss` and `statistics` are a fifth of what is allowed.
 */
export const tolerances = {
  /** Integers, counts, uniform random numbers (multiples of 2^-24) and spikes: there is nothing to round, so any other value is an error. */
  exact: { relative: 0, absolute: 0 },
  /**
   * Normal and log-normal random numbers: PyTorch computes logarithm, sine and cosine with processor-dependent instructions; single precision
   * has 6e-8 of a number, and few exceed 4.
   */
  normal: { relative: 0, absolute: 1e-6 },
  /** PyTorch multiplies from epoch to epoch in double precision and accumulates about 1e-16 per epoch, over thousands of epochs. */
  'learning rate': { relative: 1e-12, absolute: 0 },
  /** Normalised frames: integer counts, divided by a sum or a standard deviation over a frame in single precision. */
  frames: { relative: 1e-6, absolute: 0 },
  /**
   * Membrane potentials, and gradients by the input current: a chain of a few operations per step, in single precision or in double and
   * rounded once.
   */
  potential: { relative: 3e-6, absolute: 0 },
  /**
   * Gradients by weights, and in neuron cases by w and α: sums over samples, steps and positions of many numbers of both signs, in single
   * precision.
   */
  sum: { relative: 1e-4, absolute: 0 },
  /**
   * Gradients by a w or α that a whole layer of a network shares: one sum over all its neurons, which sometimes cancels to a thousandth of
   * what was added up.
   */
  shared: { relative: 2e-4, absolute: 0 },
  /** A mean over all samples and classes, and a variance over all neurons of a layer, in single precision. */
  loss: { relative: 6e-7, absolute: 0 },
  /**
   * A firing rate is a count of spikes divided by steps and votes: one spike more or less is 1/(10 · T), far above this, so all output spikes
   * must be the same.
   */
  rate: { relative: 1e-6, absolute: 0 },
  /**
   * Parameters after an optimiser step. Adam divides a gradient by its own size, so a parameter moves by about the learning rate even if its
   * gradient is nothing but rounding error: each element may also be off by what rounding of its gradients makes of its steps
   * (`AdamAllowance`), which is negligible unless its gradient is tiny for its tensor.
   */
  parameter: { relative: 1e-6, absolute: 0, adam: true },
  /** Batch norm's running mean and variance: sums over samples and positions in single precision, T times per training step. */
  statistics: { relative: 3e-6, absolute: 0 },
} as const satisfies Readonly<Record<string, Tolerance>>;

export type ToleranceName = keyof typeof tolerances;

/** Adam's constants in PyTorch: they must not come from the engine that is being tested. */
const beta1 = 0.9;
const beta2 = 0.999;
const epsilon = 1e-8;

/**
 * How far rounding may move a gradient, relative to the largest magnitude in its tensor: somewhat more than the largest differences from
 * PyTorch in the committed cases, 9e-6, and 3.2e-5 for a gradient that a whole layer shares (a single number).
 */
const gradientError = { tensor: 1e-5, shared: 5e-5 } as const;

/** The gradients of one parameter in the steps so far, and what has been allowed so far. */
interface History {
  readonly gradients: Float32Array[];
  readonly errors: number[];
  readonly sums: Float64Array;
}

/**
 * How far a parameter may be off after some steps of Adam because its gradients were rounded.
 *
 * Adam moves a parameter by `η · m̂ / (√v̂ + ε)`: it divides a gradient by its own recent size, so that even one that is nothing but
 * rounding error moves its parameter by about η. With gradient errors δ (`gradientError`), a step widens an element's tolerance by
 * `η · Σₖ dₖ`, where dₖ is how far `m̂ / (√v̂ + ε)` moves if the gradient of step k is off by ±δₖ. That is almost nothing if a gradient is
 * well above δ, and up to 2 η if its sign is in doubt.
 *
 * The moments are computed here, from gradients alone. A wrong optimiser cannot widen its own allowance.
 */
export class AdamAllowance {
  readonly #histories = new Map<string, History>();

  /** @param rateOf the learning rate of a parameter; `gradients` of this step; the folder's, if it has them */
  addStep(rateOf: (name: string) => number, gradients: State): void {
    for (const [name, { dtype, data }] of gradients) {
      if (dtype !== 'F32') continue;
      const history = this.#historyOf(name, data.length);
      history.gradients.push(data);
      const largest = data.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      history.errors.push(largest * (data.length === 1 ? gradientError.shared : gradientError.tensor));
      for (let i = 0; i < data.length; i++) {
        history.sums[i] = history.sums[i]! + rateOf(name) * moveOf(history, i);
      }
    }
  }

  /** The allowance of each element of a parameter; undefined if there is no such parameter. */
  of(name: string): Float64Array | undefined {
    return this.#histories.get(name)?.sums;
  }

  #historyOf(name: string, elements: number): History {
    const known = this.#histories.get(name);
    if (known !== undefined) return known;
    const history: History = { gradients: [], errors: [], sums: new Float64Array(elements) };
    this.#histories.set(name, history);
    return history;
  }
}

/** How far one element's step, in units of the learning rate, may move within its gradients' errors. */
function moveOf({ gradients, errors }: History, element: number): number {
  const steps = gradients.length;
  let first = 0;
  let second = 0;
  for (const tensor of gradients) {
    const gradient = tensor[element]!;
    first = beta1 * first + (1 - beta1) * gradient;
    second = beta2 * second + (1 - beta2) * gradient ** 2;
  }
  const stepSize = (m: number, v: number) =>
    m / (1 - beta1 ** steps) / (Math.sqrt(Math.max(0, v) / (1 - beta2 ** steps)) + epsilon);
  const exact = stepSize(first, second);
  let move = 0;
  for (let k = 0; k < steps; k++) {
    const gradient = gradients[k]![element]!;
    if (gradient === 0) continue; // nothing was added up, as behind a dropout mask: nothing was rounded
    const firstWeight = (1 - beta1) * beta1 ** (steps - 1 - k);
    const secondWeight = (1 - beta2) * beta2 ** (steps - 1 - k);
    const moves = [-errors[k]!, errors[k]!].map((error) => {
      const change = (gradient + error) ** 2 - gradient ** 2;
      return Math.abs(stepSize(first + firstWeight * error, second + secondWeight * change) - exact);
    });
    move += Math.max(...moves);
  }
  return move;
}
