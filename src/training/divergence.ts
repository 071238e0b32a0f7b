import { ReproError } from '../errors.ts';
import type { State } from '../snn/tensor.ts';
import type { TrainingTask } from './task.ts';

/** The first tensor that holds something else than finite numbers. */
export function findNonFinite(state: State): string | undefined {
  for (const [name, { dtype, data }] of state) {
    if (dtype === 'F32' && !data.every(Number.isFinite)) return name;
  }
  return undefined;
}

/** The error of a training whose numbers are none, with what to try. */
export function divergedError(
  { seed, settings }: Pick<TrainingTask, 'seed' | 'settings'>,
  learningRate: number,
  what: string,
): ReproError {
  const { regulariseTau } = settings;
  return new ReproError('training-diverged', `${what} (learning rate ${learningRate.toPrecision(3)}).`, {
    where: `seed ${seed}`,
    fix: [
      'Look at metrics of the epochs before (does the loss grow, does a layer stop spiking?), then try a lower `train.learningRate`.',
      regulariseTau > 0
        ? `The regulariser λ = ${regulariseTau} needs more than one τ a layer: the variance of a single number is not a number.`
        : 'In the first batch of all, suspect the frames: `repro run frames --force`.',
    ].join('\n'),
  });
}
