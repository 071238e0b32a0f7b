import { ReproError } from '../errors.ts';
import type { State } from '../snn/tensor.ts';
import type { TrainingTask } from './task.ts';

/** The first tensor with a NaN or infinite value. */
export function findNonFinite(state: State): string | undefined {
  for (const [name, { dtype, data }] of state) {
    if (dtype === 'F32' && !data.every(Number.isFinite)) return name;
  }
  return undefined;
}

/** The error for a training whose numbers are NaN or infinite, with what to try. */
export function divergedError(
  { seed, settings }: Pick<TrainingTask, 'seed' | 'settings'>,
  learningRate: number,
  what: string,
): ReproError {
  const { regulariseTau } = settings;
  return new ReproError('training-diverged', `${what} (learning rate ${learningRate.toPrecision(3)}).`, {
    where: `seed ${seed}`,
    fix: [
      'Look at the metrics of earlier epochs (does the loss grow, does a layer stop spiking?), then try a lower `train.learningRate`.',
      regulariseTau > 0
        ? `The regulariser λ = ${regulariseTau} needs more than one τ per layer: the variance of a single number is undefined.`
        : 'If it happens in the very first batch, suspect the frames: `repro run frames --force`.',
    ].join('\n'),
  });
}
