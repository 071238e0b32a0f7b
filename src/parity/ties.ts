import type { Compat } from '../thesis/compat.ts';
import { predictClasses } from '../training/scores.ts';
import { compareOne, wholeValues } from './compare.ts';
import type { CaseKind } from './kind.ts';

/** The class that each rule for ties takes from given outputs; what engines return, cases of whole networks compare. */
export const tiesKind: CaseKind = {
  keys: ['votes', 'seed'],
  *compare(given) {
    const votes = given.description.count('votes');
    const outputs = given.floats('outputs', ['any', 'any', 'any']);
    const [samples = 0, , classes = 0] = outputs.shape;
    const forward = { outputs: outputs.data, rates: given.floats('rates', [samples, classes]).data };
    const rules: readonly [string, Compat['ties'], boolean][] = [
      ['first', 'first', false],
      ['rounding', 'rounding', false],
      ['rounding_training', 'rounding', true],
    ];
    for (const [name, ties, training] of rules) {
      const found = predictClasses(forward, { classes, votes, loss: 'rate', ties }, training);
      yield compareOne('exact', { name, expected: given.find(name), found: wholeValues(found) });
    }
  },
};
