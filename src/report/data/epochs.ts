import { meanInterval } from '../../verdicts/stats/means.ts';
import { sentences } from '../../verdicts/words.ts';
import { referenceOf } from './reference.ts';
import type { ModelResult, Results, RunResult } from './results.ts';

export function allRuns(results: Results): RunResult[] {
  return results.models.flatMap((model) => model.runs);
}

function epochRange(results: Results): [number, number] {
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

/** Whether some model was validated on held-out clips, here or in the authors' logs: if not, there is nothing to draw. */
export function isValidated({ models, reference }: Pick<Results, 'models' | 'reference'>): boolean {
  return (
    models.some(({ runs }) => runs.some(({ clips }) => clips.validation > 0)) ||
    [...(reference?.values() ?? [])].some(({ accuracy }) => accuracy.validation.length > 0)
  );
}

/** `, with dropout`; empty if every network has `dropout: 0`. */
export function nameDropout(results: Results): string {
  return allRuns(results).some(({ network }) => network.dropout !== 0) ? ', with dropout' : '';
}

/** The evaluated epoch, in words that follow "the": `epoch chosen by validation`, unless it was chosen on the test clips, or is the last. */
export function nameEpoch(models: readonly ModelResult[]): string {
  const choices = new Set(models.flatMap(({ runs }) => runs.map(({ chosenOn }) => chosenOn)));
  if (choices.size > 1) return 'epoch chosen by each model’s own rule';
  if (choices.has('test')) return 'epoch chosen on the test clips';
  return choices.has(null) ? 'last epoch' : 'epoch chosen by validation';
}

/** Which of equally good epochs is chosen; null if each model's is simply its last. */
export function explainTies(models: readonly ModelResult[]): string | null {
  const choices = new Set(models.flatMap(({ runs }) => runs.map(({ chosenOn }) => chosenOn)));
  const latest =
    choices.has('validation') && 'Of epochs with the same validation accuracy, the latest is chosen.';
  const first = choices.has('test') && 'Of epochs with the same test accuracy, the first is chosen.';
  return sentences(latest, first) || null;
}

/** The published window: for three of the four models, the authors' event files have the last 64 epochs. */
export const LATE_EPOCHS = 64;

/** The test accuracy of a run over its last epochs. */
interface LateAccuracy {
  readonly mean: number;
  /** Over the tested epochs, with n - 1; null for a single one. */
  readonly deviation: number | null;
  readonly tests: number;
  /** First and last epoch of the window, which begins with the training if that was shorter. */
  readonly epochs: readonly [number, number];
}

/** @returns null if the window is unknown, or no epoch of it was tested */
export function lateAccuracy(
  { metrics }: Pick<RunResult, 'metrics'>,
  window: number | null,
): LateAccuracy | null {
  if (window === null) return null;
  const [first, last] = [metrics.epochs[0] ?? 1, metrics.epochs.at(-1) ?? 1];
  const from = Math.max(first, last - window + 1);
  const values = metrics.epochs.flatMap((epoch, i) => {
    const value = metrics.accuracy.test[i] ?? null;
    return value === null || epoch < from ? [] : [value];
  });
  if (values.length === 0) return null;
  const { mean, standardDeviation } = meanInterval(values);
  return {
    mean,
    deviation: values.length === 1 ? null : standardDeviation,
    tests: values.length,
    epochs: [from, last],
  };
}
