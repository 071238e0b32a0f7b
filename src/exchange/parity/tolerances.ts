import { countElements, type State } from '../../formats/tensor.ts';
import { type NetworkSpec, outputShapes, tauShape } from '../../network/spec.ts';

/**
 * The only place where tolerances are defined: how far a number may be off behind which there are so many roundings, of sums of this magnitude,
 * `4 · 2⁻²⁴ · √terms · magnitude`.
 *
 * Single precision moves a result by at most a share of 2⁻²⁴, up as often as down: whatever the order, errors add up as a random walk does.
 * A rounding has a standard deviation of at most 2⁻²⁴ / √3, so this is seven of theirs. Without a rounding, any other value is an error.
 *
 * @param magnitude of a sum: of its result, or of what its terms leave if they have both signs (the root of the sum of their squares)
 * @see Higham and Mary 2019, A new approach to probabilistic rounding error analysis
 */
export function toleranceOf(terms: number, magnitude: number): number {
  return 4 * 2 ** -24 * Math.sqrt(terms) * magnitude;
}

/** The roundings behind values that are no long sums. */
export const roundings = {
  /** Logarithm, root, cosine and product, each in PyTorch's own version; for log-normal numbers also product, sum and exponential. */
  normal: 8,
  /** Learning rates are multiplied from epoch to epoch, but in double precision. */
  learningRate: 1,
  /** A frame's mean, standard deviation, difference and quotient; counts add up without any. */
  frames: 4,
  /** One neuron in one step, forward and backward: charge, reset, surrogate and their derivatives. */
  neuronStep: 12,
  /** Adam's moments, their corrections, a root, a quotient and products. */
  adamStep: 10,
} as const;

/** What the tolerance of a tensor comes from; all 0 for values that must be the same. */
export interface Summed {
  /** As for `toleranceOf`, with the largest magnitude in the folder's tensor. */
  readonly terms: number;
  /** A lower bound on that magnitude, for values that remain after larger ones cancel. */
  readonly scale?: number;
  /** An additional absolute tolerance for each element. */
  readonly allowance?: Float64Array | undefined;
}

/** How many numbers a network's gradients and statistics add up. */
export class NetworkSums {
  readonly #initial: State;
  /** Of each layer, the number of its outputs over all samples and steps, and the layer before it; both without layers that have no name. */
  readonly #layers = new Map<string, { readonly outputs: number; readonly input: string }>();
  /** Sums that a gradient's terms have passed from the frames to the loss and back: inputs, positions, steps and outputs of every layer. */
  #path = 0;
  /** The terms of a loss: a mean over samples, steps and classes, and a variance over each layer's w. */
  readonly loss: number;

  constructor(spec: NetworkSpec, initial: State, samples: number, steps: number) {
    this.#initial = initial;
    const shapes = outputShapes(spec);
    let input = '';
    let logits = 0;
    for (const [i, layer] of spec.layers.entries()) {
      if (!('name' in layer)) continue;
      const outputs = samples * countElements(shapes[i]!);
      this.#layers.set(layer.name, { outputs: steps * outputs, input });
      input = layer.name;
      if (layer.kind === 'conv') this.#path += layer.kernel ** 2 * (layer.inChannels + layer.outChannels);
      if (layer.kind === 'batch-norm') this.#path += outputs / layer.channels;
      if (layer.kind === 'neuron') {
        this.#path +=
          steps * (roundings.neuronStep + (layer.recurrent === true ? countElements(layer.shape) : 0));
        logits += countElements(tauShape(layer) ?? []);
      }
      if (layer.kind === 'linear') this.#path += layer.inFeatures + layer.outFeatures;
    }
    this.loss = samples * steps * spec.classes + logits;
  }

  /** A gradient adds up samples, steps and the outputs that its parameter takes part in. */
  ofGradient(name: string, gradients: State): Summed {
    const shape = this.#initial.get(name)?.shape ?? [];
    const layer = this.#layers.get(layerOf(name));
    const sharers = name.endsWith('.weight') ? shape[0]! : countElements(shape);
    const terms = (layer?.outputs ?? 0) / sharers + this.#path;
    if (sharers > 1) return { terms };
    // A layer's only w or α: Σ ∂x · x over its currents x = θ · input is Σ ∂θ · θ over the parameters that they come from.
    let squares = 0;
    for (const [from, { data }] of gradients) {
      if (layerOf(from) !== layer?.input) continue;
      const parameters = this.#initial.get(from)?.data;
      for (let i = 0; i < data.length; i++) squares += (Number(data[i]) * Number(parameters?.[i])) ** 2;
    }
    return { terms, scale: Math.sqrt(squares) };
  }

  /**
   * Running mean and variance add up as many terms, which are as large as the deviation or the mean. They also differ by what the
   * convolution's weights do, and these by what `allowed` says.
   *
   * @param state the statistics in the folder
   */
  ofStatistic(name: string, state: State, allowed: AdamAllowance): Summed {
    const layer = layerOf(name);
    const largest = (key: string) => largestMagnitude(state.get(`${layer}.running_${key}`)?.data ?? []);
    const deviation = Math.sqrt(largest('var'));
    const scale = Math.max(largest('mean'), deviation) * (name.endsWith('var') ? deviation : 1);
    const weight = `${this.#layers.get(layer)?.input}.weight`;
    const moved =
      largestMagnitude(allowed.of(weight) ?? []) / largestMagnitude(this.#initial.get(weight)?.data ?? []);
    const elements = state.get(name)?.data.length ?? 0;
    const allowance = new Float64Array(elements).fill(2 * moved * scale);
    return { ...this.ofGradient(name, new Map()), scale, allowance };
  }
}

/** `conv.2.surrogate_function.alpha` is of `conv.2`. */
function layerOf(name: string): string {
  return name.replace(/\.((surrogate_function|recurrent)\.)?\w+$/, '');
}

export function largestMagnitude(data: ArrayLike<number> | ArrayLike<bigint>): number {
  let largest = 0;
  for (let i = 0; i < data.length; i++) largest = Math.max(largest, Math.abs(Number(data[i])));
  return largest;
}

/** Adam's constants in PyTorch: they must not come from the engine that is being tested. */
const beta1 = 0.9;
const beta2 = 0.999;
const epsilon = 1e-8;

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
 * rounding error moves its parameter by about η. With gradient errors δ, their own tolerance, a step widens an element's tolerance by
 * `η · Σₖ dₖ`, where dₖ is how far `m̂ / (√v̂ + ε)` moves if the gradient of step k is off by ±δₖ. That is almost nothing if a gradient is
 * well above δ, and up to 2 η if its sign is in doubt.
 *
 * The moments are computed here, from gradients alone. A wrong optimiser cannot widen its own allowance.
 */
export class AdamAllowance {
  readonly #histories = new Map<string, History>();

  /**
   * @param rateOf the learning rate of a parameter
   * @param gradients of this step; the folder's, if it has them
   * @param sumsOf what a parameter's gradient adds up
   */
  addStep(rateOf: (name: string) => number, gradients: State, sumsOf: (name: string) => Summed): void {
    for (const [name, { dtype, data }] of gradients) {
      if (dtype !== 'F32') continue;
      const history = this.#historyOf(name, data.length);
      history.gradients.push(data);
      const { terms, scale = 0 } = sumsOf(name);
      history.errors.push(toleranceOf(terms, Math.max(largestMagnitude(data), scale)));
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
  let move = toleranceOf(roundings.adamStep, Math.abs(exact));
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
