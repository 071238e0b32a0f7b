/**
 * How far a value may be from the folder's: by `absolute + relative · m`, where m is the largest magnitude in the folder's tensor.
 * Rounding errors scale with the numbers that were added up, not with what remains of them.
 */
export interface Tolerance {
  readonly relative: number;
  readonly absolute: number;
  /** Whether to add the allowance of `AdamAllowance` for each element. */
  readonly adam?: boolean;
  /** Why this much and not more. */
  readonly reason: string;
}

/**
 * The only place where tolerances are defined. Single precision has 24 bits, 6e-8 of a number; PyTorch, the kernels and the composed
 * operations add up in different orders. docs/parity.md has the largest differences that were measured: those of `potential`, `shared`,
 * `loss` and `statistics` are a fifth of what is allowed.
 */
export const tolerances = {
  exact: {
    relative: 0,
    absolute: 0,
    reason:
      'Integers, counts, uniform random numbers (multiples of 2^-24) and spikes: there is nothing to round, so any other value is an error.',
  },
  normal: {
    relative: 0,
    absolute: 1e-6,
    reason:
      'Normal and log-normal random numbers: PyTorch computes logarithm, sine and cosine with processor-dependent instructions; single precision has 6e-8 of a number, and few exceed 4.',
  },
  'learning rate': {
    relative: 1e-12,
    absolute: 0,
    reason:
      'PyTorch multiplies from epoch to epoch in double precision and accumulates about 1e-16 per epoch, over thousands of epochs.',
  },
  frames: {
    relative: 1e-6,
    absolute: 0,
    reason:
      'Normalised frames: integer counts, divided by a sum or a standard deviation over a frame in single precision.',
  },
  potential: {
    relative: 3e-6,
    absolute: 0,
    reason:
      'Membrane potentials, and gradients by the input current: a chain of a few operations per step, in single precision or in double and rounded once.',
  },
  sum: {
    relative: 1e-4,
    absolute: 0,
    reason:
      'Gradients by weights, and in neuron cases by w and α: sums over samples, steps and positions of many numbers of both signs, in single precision.',
  },
  shared: {
    relative: 2e-4,
    absolute: 0,
    reason:
      'Gradients by a w or α that a whole layer of a network shares: one sum over all its neurons, which sometimes cancels to a thousandth of what was added up.',
  },
  loss: {
    relative: 6e-7,
    absolute: 0,
    reason:
      'A mean over all samples and classes, and a variance over all neurons of a layer, in single precision.',
  },
  rate: {
    relative: 1e-6,
    absolute: 0,
    reason:
      'A firing rate is a count of spikes divided by steps and votes: one spike more or less is 1/(10 · T), far above this, so all output spikes must be the same.',
  },
  parameter: {
    relative: 1e-6,
    absolute: 0,
    adam: true,
    reason:
      'Parameters after an optimiser step. Adam divides a gradient by its own size, so a parameter moves by about the learning rate even if its gradient is nothing but rounding error: each element may also be off by what rounding of its gradients makes of its steps (adam-allowance.ts), which is negligible unless its gradient is tiny for its tensor.',
  },
  statistics: {
    relative: 3e-6,
    absolute: 0,
    reason:
      "Batch norm's running mean and variance: sums over samples and positions in single precision, T times per training step.",
  },
} as const satisfies Readonly<Record<string, Tolerance>>;

export type ToleranceName = keyof typeof tolerances;
