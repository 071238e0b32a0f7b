import type { State } from '../../formats/tensor.ts';

/** How far a value may be from the folder's: by `absolute + relative · m`, where m is the largest magnitude in the folder's tensor. */
export interface Tolerance {
  readonly relative: number;
  readonly absolute: number;
  /** Whether to add the allowance of `AdamAllowance` for each element. */
  readonly adam?: boolean;
}

/** The only place where tolerances are defined; docs/parity.md says why each is as much, and how large the differences were that were measured. */
export const tolerances = {
  exact: { relative: 0, absolute: 0 },
  normal: { relative: 0, absolute: 1e-6 },
  'learning rate': { relative: 1e-12, absolute: 0 },
  frames: { relative: 1e-6, absolute: 0 },
  potential: { relative: 3e-6, absolute: 0 },
  sum: { relative: 1e-4, absolute: 0 },
  shared: { relative: 2e-4, absolute: 0 },
  loss: { relative: 6e-7, absolute: 0 },
  rate: { relative: 1e-6, absolute: 0 },
  parameter: { relative: 1e-6, absolute: 0, adam: true },
  statistics: { relative: 3e-6, absolute: 0 },
} as const satisfies Readonly<Record<string, Tolerance>>;

export type ToleranceName = keyof typeof tolerances;

/** Adam's constants in PyTorch: they must not come from the engine that is being tested. */
const beta1 = 0.9;
const beta2 = 0.999;
const epsilon = 1e-8;

/** How far rounding may move a gradient, relative to the largest magnitude in its tensor; `shared`: by a whole layer. */
const gradientError = { tensor: 1e-5, shared: 5e-5 } as const;

/** The gradients of one parameter in the steps so far, and what has been allowed so far. */
interface History {
  readonly gradients: Float32Array[];
  readonly errors: number[];
  readonly sums: Float64Array;
}

/**
 * How far a parameter may be off after some steps of Adam because its gradients were rounded (docs/parity.md).
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
