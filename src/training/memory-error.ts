import { describeMemory, EngineMemoryError } from '../engines/memory-error.ts';
import { ReproError } from '../errors.ts';
import { countParameters } from '../snn/parameters.ts';
import { formatBytes } from '../text.ts';
import type { TrainingTask } from './task.ts';

/** What V8 says when there is no room for an array, or it would be longer than any can be. */
const allocationFailure = /array buffer allocation failed|invalid (typed )?array (buffer )?length/i;

/** Gives a failed allocation a message that says what was too large; any other error is returned unchanged. */
export function explainMemoryError(error: unknown, { spec, settings }: TrainingTask): unknown {
  const parameters = countParameters(spec).toLocaleString('en');
  if (error instanceof EngineMemoryError) {
    const { samples, neededBytes, availableBytes, largestBatch } = error.need;
    return new ReproError(
      'out-of-memory',
      `A network of ${parameters} parameters needs ${describeMemory(neededBytes)} for a batch of ${samples}; ` +
        `${formatBytes(availableBytes)} are available.`,
      {
        fix:
          largestBatch > 0
            ? `Lower \`train.batchSize\` to ${largestBatch} or less.`
            : 'Not even one clip fits: lower `train.network.channels` or `frames.steps`.',
        cause: error,
      },
    );
  }
  if (!(error instanceof RangeError) || !allocationFailure.test(error.message)) return error;
  return new ReproError(
    'out-of-memory',
    `A network of ${parameters} parameters, trained in batches of ${settings.batchSize}, does not fit in memory (${error.message}).`,
    { fix: 'Lower `train.batchSize` or `train.network.channels`.', cause: error },
  );
}
