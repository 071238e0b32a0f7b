import { cosineLearningRate } from '../training/schedule.ts';
import { type Comparison, compare, failComparison, listValues } from './compare.ts';

/** `cosine_lr_T_max_64` in index.json: the learning rate of each epoch, beginning with the initial one. */
export const learningRatesPattern = /^cosine_lr_T_max_(\d+)$/;

/** Compares a list of learning rates, one per epoch, with the cosine schedule that its name describes. */
export function compareLearningRates(name: string, value: unknown): Comparison {
  const what = 'learning rates';
  const period = Number(learningRatesPattern.exec(name)?.[1]);
  if (!(period >= 1)) return failComparison(what, 'T_max must be at least 1');
  if (!Array.isArray(value) || value.length === 0) return failComparison(what, 'expected a list of numbers');
  const expected: unknown[] = value;
  const wrong = expected.findIndex((rate) => typeof rate !== 'number' || !Number.isFinite(rate));
  if (wrong >= 0) {
    return failComparison(what, `[${wrong}]: expected a number, found ${JSON.stringify(expected[wrong])}`);
  }
  const rates = expected.map(Number);
  const found = rates.map((_, epoch) => cosineLearningRate(rates[0] ?? 0, period, epoch));
  return compare(what, 'learning rate', [{ name, expected: listValues(rates), found: listValues(found) }]);
}
