import { joinWords } from './format.ts';
import type { ModelResult } from './results.ts';

/**
 * How the epoch was chosen whose checkpoint is evaluated, in words that follow "the epoch": `chosen by validation`, or where the
 * test clips chose it, just that.
 */
export function nameChoice(models: readonly ModelResult[]): string {
  const onTest = listChosenOnTest(models);
  if (onTest.length === 0) return 'chosen by validation';
  return onTest.length === models.length ? 'chosen on the test clips' : 'chosen by each model’s rule';
}

/** Models whose epoch was chosen on the test clips, in some run. */
export function listChosenOnTest(models: readonly ModelResult[]): ModelResult[] {
  return models.filter(({ runs }) => runs.some(({ chosenOn }) => chosenOn === 'test'));
}

/** What has to be said of accuracies at epochs that the test clips chose; null where validation chose all of them. */
export function warnOfChoice(models: readonly ModelResult[]): string | null {
  const onTest = listChosenOnTest(models);
  if (onTest.length === 0) return null;
  const whose = onTest.length === models.length ? '' : ` of ${joinWords(onTest.map(({ title }) => title))}`;
  return `the epoch${whose} was chosen on the test clips themselves (compat.selection: best-test), so the accuracy there is biased upwards like a maximum.`;
}
