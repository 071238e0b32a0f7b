import { referenceOf } from './reference.ts';
import type { Results, RunResult } from './results.ts';

export function allRuns(results: Results): RunResult[] {
  return results.models.flatMap((model) => model.runs);
}

/** First and last epoch over all runs. */
export function epochRange(results: Results): [number, number] {
  const epochs = allRuns(results).flatMap(({ metrics }) => [
    metrics.epochs[0] ?? 0,
    metrics.epochs.at(-1) ?? 0,
  ]);
  return [Math.min(...epochs), Math.max(...epochs)];
}

/**
 * First and last epoch of every panel. The authors' logs may extend beyond this run, but our own curves keep at least half the
 * width.
 */
export function axisRange(results: Results): [number, number] {
  const [first, last] = epochRange(results);
  const limit = 2 * last;
  const logged = results.models.flatMap((model) => {
    const epochs = referenceOf(results, model)?.epochs;
    return epochs === undefined || epochs[0] > limit ? [] : [Math.min(epochs[1], limit)];
  });
  return [first, Math.max(last, ...logged)];
}

export function describeEpochs(results: Results): string {
  const [first, last] = epochRange(results);
  return first === last ? `epoch ${first}` : `epochs ${first} to ${last}`;
}
