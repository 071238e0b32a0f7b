import { joinWords } from './format.ts';
import type { ModelResult } from './results.ts';

/** The evaluated epoch, in words that follow "the": `epoch chosen by validation`, unless it was chosen on the test clips, or is the last. */
export function nameEpoch(models: readonly ModelResult[]): string {
  const choices = new Set(models.flatMap(({ runs }) => runs.map(({ chosenOn }) => chosenOn)));
  if (choices.size > 1) return 'epoch chosen by each model’s own rule';
  if (choices.has('test')) return 'epoch chosen on the test clips';
  return choices.has(null) ? 'last epoch' : 'epoch chosen by validation';
}

/** Models with a run whose epoch was chosen on the test clips. */
export function listChosenOnTest(models: readonly ModelResult[]): ModelResult[] {
  return models.filter(({ runs }) => runs.some(({ chosenOn }) => chosenOn === 'test'));
}

/** A warning about accuracies at epochs chosen on the test clips; null if validation chose all epochs. */
export function warnOfChoice(models: readonly ModelResult[]): string | null {
  const onTest = listChosenOnTest(models);
  if (onTest.length === 0) return null;
  const whose = onTest.length === models.length ? '' : ` of ${joinWords(onTest.map(({ title }) => title))}`;
  return `the epoch${whose} was chosen on the test clips themselves (compat.selection: best-test), so its accuracy is biased upwards like a maximum.`;
}
