import { InvalidArgumentError, Option } from 'commander';

/** `--threads`, for commands that compute with an engine. */
export function threadsOption(): Option {
  return new Option(
    '--threads <n>',
    'threads of the native engine (default: $REPRO_THREADS, else one per core); results do not depend on them',
  ).argParser((text) => {
    const threads = Number(text);
    if (!Number.isInteger(threads) || threads < 1)
      throw new InvalidArgumentError('expected a whole number of at least 1.');
    return threads;
  });
}
