import { ReproError } from '../errors.ts';
import { initialState } from '../snn/initialise.ts';
import { countParameters } from '../snn/parameters.ts';
import type { NetworkSpec } from '../snn/spec.ts';
import { ShapeError, type State } from '../snn/tensor.ts';
import type { TorchRandom } from '../snn/torch-random.ts';
import type { TrainingTask } from './task.ts';

/** V8's messages for an array that does not fit in memory, or is longer than an array can be. */
const allocationFailure = /array buffer allocation failed|invalid (typed )?array (buffer )?length/i;

/** Gives a failed allocation a message that says what was too large; any other error is returned unchanged. */
export function explainMemoryError(error: unknown, { spec, settings }: TrainingTask): unknown {
  if (!(error instanceof RangeError) || !allocationFailure.test(error.message)) return error;
  const parameters = countParameters(spec).toLocaleString('en');
  return new ReproError(
    'out-of-memory',
    `A network of ${parameters} parameters, trained in batches of ${settings.batchSize}, does not fit in memory (${error.message}).`,
    { fix: 'Lower `train.batchSize` or `train.network.channels`.', cause: error },
  );
}

/** Names of the tensors with NaN or infinite values. */
export function findBrokenTensors(state: State): string[] {
  return [...state].flatMap(([name, tensor]) =>
    tensor.dtype === 'F32' && !tensor.data.every(Number.isFinite) ? [name] : [],
  );
}

/** The error for a training whose numbers are NaN or infinite, with what to try. */
export function divergedError(
  { seed, settings }: Pick<TrainingTask, 'seed' | 'settings'>,
  learningRate: number,
  what: string,
): ReproError {
  const lambdas = [settings.regulariseTau].flat();
  return new ReproError('training-diverged', `${what} (learning rate ${learningRate.toPrecision(3)}).`, {
    where: `seed ${seed}`,
    fix: [
      'Look at the metrics of earlier epochs (does the loss grow, does a layer stop spiking?), then try a lower `train.learningRate`.',
      lambdas.some((lambda) => lambda > 0)
        ? `The regulariser λ = ${lambdas.join(', ')} needs more than one τ per layer: the variance of a single number is undefined.`
        : 'If it happens in the very first batch, suspect the frames: `./repro run frames --force`.',
    ].join('\n'),
  });
}

/**
 * `initialState`, with an error for the person who configured the network.
 *
 * @throws {ReproError} `model-invalid` if a τ is drawn that no neuron can have
 */
export function drawInitialState(spec: NetworkSpec, random: TorchRandom): State {
  try {
    return initialState(spec, random);
  } catch (cause) {
    if (!(cause instanceof ShapeError)) throw cause;
    throw new ReproError('model-invalid', `${cause.message}.`, {
      fix: 'Lower `train.network.tau.std`, or raise `train.network.tau.mean`.',
      cause,
    });
  }
}
