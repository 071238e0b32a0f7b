/**
 * How far a value may be from the original's. A tensor's value may be off by `absolute + relative · m`, m being the largest magnitude in
 * the expected tensor: rounding errors are as large as the numbers that were added up, not as the small one that a sum may leave.
 */
export interface Tolerance {
  readonly relative: number;
  readonly absolute: number;
  /** Each element may be off by what `AdamAllowance` says of it besides. */
  readonly adam?: boolean;
  /** Why this much, and not more. */
  readonly reason: string;
}

/**
 * The only place where tolerances are set. Single precision keeps 24 bits, 6e-8 of a number; PyTorch, the kernels and the composed
 * operations add up in different orders.
 */
export const tolerances = {
  exact: {
    relative: 0,
    absolute: 0,
    reason:
      'Whole numbers, counts, uniform random numbers (multiples of 2^-24) and spikes: there is nothing to round, so that any other value is an error.',
  },
  normal: {
    relative: 0,
    absolute: 1e-6,
    reason:
      'Normal and log-normal random numbers: PyTorch computes logarithm, sine and cosine by instructions that depend on the processor; single precision keeps 6e-8 of a number, and few are beyond 4.',
  },
  'learning rate': {
    relative: 1e-12,
    absolute: 0,
    reason:
      'PyTorch multiplies its way from epoch to epoch in double precision, and so gathers about 1e-16 an epoch, over thousands of epochs.',
  },
  frames: {
    relative: 1e-6,
    absolute: 0,
    reason:
      'Normalised frames: whole counts, divided by a sum or a standard deviation over a frame in single precision.',
  },
  potential: {
    relative: 1e-5,
    absolute: 0,
    reason:
      'Membrane potentials, and gradients by the input current: a chain of a few operations a step, in single precision or in double and rounded once.',
  },
  sum: {
    relative: 1e-4,
    absolute: 0,
    reason:
      'Gradients by weights and by the w and α of single neurons: sums over samples, steps and positions of many numbers of both signs, in single precision.',
  },
  shared: {
    relative: 1e-3,
    absolute: 0,
    reason:
      'Gradients by a w or α that a whole layer of a network shares: one sum over all its neurons, which now and then cancels to a thousandth of what was added up.',
  },
  loss: {
    relative: 1e-5,
    absolute: 0,
    reason:
      'A mean over all samples and classes, and a variance over all neurons of a layer, in single precision.',
  },
  rate: {
    relative: 1e-6,
    absolute: 0,
    reason:
      'A firing rate is a count of spikes divided by steps and votes: one spike more or less is 1/(10 · T), far above this, so that all output spikes must be the same.',
  },
  parameter: {
    relative: 1e-6,
    absolute: 0,
    adam: true,
    reason:
      "Parameters after an optimiser step. Adam divides a gradient by its own size, so that a parameter moves by about the learning rate even where its gradient is nothing but rounding: each element may be off by what its gradients' tolerance makes of its steps (adam-allowance.ts), far below the learning rate where the gradient is not small in its tensor.",
  },
  statistics: {
    relative: 1e-5,
    absolute: 0,
    reason:
      "Batch norm's running mean and variance: sums over samples and positions in single precision, T times a training step.",
  },
} as const satisfies Readonly<Record<string, Tolerance>>;

export type ToleranceName = keyof typeof tolerances;
