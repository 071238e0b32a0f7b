import { ReproError } from '../errors.ts';
import { countParameters } from '../snn/parameters.ts';
import type { TrainingTask } from './task.ts';

/** What V8 says when there is no room for an array, or it would be longer than any can be. */
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
