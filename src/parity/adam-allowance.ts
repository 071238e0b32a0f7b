import type { State } from '../snn/tensor.ts';

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

  /** @param gradients of this step; the folder's, if it has them */
  addStep(learningRate: number, gradients: State): void {
    for (const [name, { dtype, data }] of gradients) {
      if (dtype !== 'F32') continue;
      const history = this.#historyOf(name, data.length);
      history.gradients.push(data);
      const largest = data.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      history.errors.push(largest * (data.length === 1 ? gradientError.shared : gradientError.tensor));
      for (let i = 0; i < data.length; i++) {
        history.sums[i] = history.sums[i]! + learningRate * moveOf(history, i);
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
