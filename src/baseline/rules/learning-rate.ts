import { nameRun } from '../baseline.ts';
import { type Finding, judgeSize } from '../finding.ts';
import type { Pair } from './pair.ts';
import { compareValue, describeParts } from './tolerance.ts';

/** The schedule does not depend on the engine: only the last of the seven digits that are kept may differ. */
const tolerance = { absolute: 0, relative: 1e-6 };

/** The learning rates of the epochs that both have. */
export function judgeLearningRate({ before, now }: Pair): Finding {
  const parts = now.layers.flatMap(({ epoch, learningRate }) => {
    const other = before.layers.find((one) => one.epoch === epoch);
    return other === undefined
      ? []
      : [compareValue(`epoch ${epoch}`, other.learningRate, learningRate, tolerance)];
  });
  const { size, text } = describeParts('epochs', parts);
  return judgeSize('learning rate', nameRun(now), size, text);
}
