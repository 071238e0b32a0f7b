import os from 'node:os';
import process from 'node:process';
import { ReproError } from '../../errors.ts';

const variable = 'REPRO_THREADS';

/** The addon refuses more. */
const most = 256;

/**
 * How many threads to compute with: `wanted`, else what `REPRO_THREADS` says, else one per core. Results do not depend on it.
 *
 * @throws {ReproError} `engine-threads` if the variable is not a whole number of at least 1
 */
export function chooseThreads(wanted?: number, environment: NodeJS.ProcessEnv = process.env): number {
  if (wanted !== undefined) return Math.min(wanted, most);
  const text = environment[variable];
  if (text === undefined || text === '') return Math.min(os.availableParallelism(), most);
  const threads = /^\d+$/.test(text) ? Number(text) : 0;
  if (threads >= 1 && threads <= most) return threads;
  throw new ReproError('engine-threads', `${variable}=${text} is not a number of threads.`, {
    fix: `Set it to a whole number from 1 to ${most}, or leave it out to use all cores.`,
  });
}
