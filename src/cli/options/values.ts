import { InvalidArgumentError } from 'commander';
import { parseGpuList } from '../../runner/run/machine.ts';

/** The value of an option that may be repeated. */
export function collect(value: string, earlier: readonly string[]): string[] {
  return [...earlier, value];
}

export function parseGpus(text: string): readonly string[] {
  const gpus = parseGpuList(text);
  if (gpus === null) {
    throw new InvalidArgumentError('expected different ids, as `nvidia-smi -L` lists them: 0,1.');
  }
  return gpus;
}

/** A number of stages to run at once, on the command line. */
export function parseJobs(text: string): number {
  const jobs = Number(text);
  if (!Number.isInteger(jobs) || jobs < 1)
    throw new InvalidArgumentError('expected a whole number of at least 1.');
  return jobs;
}

export function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (!(seconds >= 0.1 && seconds <= 3600)) {
    throw new InvalidArgumentError('expected seconds, from 0.1 to 3600.');
  }
  return seconds;
}

export function parseRuns(text: string): number {
  const runs = Number(text);
  if (!Number.isInteger(runs) || runs < 2)
    throw new InvalidArgumentError('expected a whole number of at least 2.');
  return runs;
}

export function parseTolerance(
  text: string,
  earlier: ReadonlyMap<string, number>,
): ReadonlyMap<string, number> {
  const at = text.lastIndexOf('=');
  const distance = Number(text.slice(at + 1));
  if (at < 1 || text.slice(at + 1).trim() === '' || !(distance >= 0)) {
    throw new InvalidArgumentError('expected a metric and a distance, such as testAccuracy=0.005.');
  }
  return new Map(earlier).set(text.slice(0, at), distance);
}

export function parseCount(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 0)
    throw new InvalidArgumentError('expected a whole number of at least 0.');
  return count;
}
