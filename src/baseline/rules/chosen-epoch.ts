import { nameRun, type RunFacts } from '../baseline.ts';
import { type Finding, judgeSize, note, skip } from '../finding.ts';
import type { Pair } from './pair.ts';

/** The share of the test clips that another engine may answer otherwise with the same weights. */
const allowedShare = 0.03;

/**
 * Whether the evaluated epoch is the one that the recorded accuracies demand, and whether the evaluation found it as good as the training did.
 * This needs no baseline and is the same on every engine. That another engine chose another epoch than the baseline's is only told.
 */
export function judgeChosenEpoch({ before, now }: Pair): Finding {
  const rule = 'chosen epoch';
  const subject = nameRun(now);
  const { chosenEpoch, preferredEpoch } = now;
  if (preferredEpoch === null) return skip(rule, subject, 'the training recorded no accuracies to choose by');
  if (chosenEpoch !== preferredEpoch) {
    const text = `epoch ${chosenEpoch} was evaluated, but by the recorded accuracies it has to be epoch ${preferredEpoch} (compat.selection: ${String(now.settings['compat.selection'])})`;
    return judgeSize(rule, subject, Number.POSITIVE_INFINITY, text);
  }
  const { text, isGood } = compareWithTraining(now);
  if (!isGood) return judgeSize(rule, subject, Number.POSITIVE_INFINITY, text);
  if (now.epochs === before.epochs && before.chosenEpoch !== chosenEpoch)
    return note(rule, subject, `epoch ${chosenEpoch}, in the baseline ${before.chosenEpoch}; ${text}`);
  return judgeSize(rule, subject, 0, `epoch ${chosenEpoch}, as the recorded accuracies demand; ${text}`);
}

/** Whether the evaluation has as many test clips right as the training had after the same epoch. */
function compareWithTraining(run: RunFacts): { readonly text: string; readonly isGood: boolean } {
  const { clips, wrong } = run.test;
  const right = clips - wrong.length;
  if (run.rightInTraining === null)
    return { text: 'the training did not test after this epoch', isGood: true };
  const isSame = run.evaluationEngine === run.engine;
  const allowed = isSame ? 0 : Math.max(1, Math.floor(allowedShare * clips));
  const isGood = Math.abs(right - run.rightInTraining) <= allowed;
  const text = `the evaluation has ${right} of ${clips} test clips right, the training had ${run.rightInTraining}`;
  return { text: isGood ? text : `${text} with the same weights, allowed ±${allowed}`, isGood };
}
