import { type Baseline, findRun, nameRun } from './baseline.ts';
import { type Finding, judgeSize } from './finding.ts';
import { judgeAccuracy } from './rules/accuracy.ts';
import { judgeFirstBatches } from './rules/first-batches.ts';
import { judgeFrames } from './rules/frames.ts';
import { judgeSpikeRates, judgeTauSpread } from './rules/layers.ts';
import { judgeLoss } from './rules/loss.ts';
import type { Pair } from './rules/pair.ts';
import { judgeSettings } from './rules/settings.ts';

/**
 * Compares results with a baseline, rule by rule. Runs with other settings are not compared further: the difference would say nothing of
 * the code.
 *
 * @param isPart whether the results may lack runs of the baseline, and the other way round: `--set` selects models or seeds
 */
export function judgeBaseline(baseline: Baseline, now: Baseline, isPart: boolean): Finding[] {
  const pairs: Pair[] = [];
  const uncovered: Finding[] = [];
  for (const run of now.runs) {
    const before = findRun(baseline, run);
    if (before !== undefined) pairs.push({ before, now: run });
    else if (!isPart) uncovered.push(refuse(nameRun(run), 'is not in the baseline'));
  }
  for (const run of baseline.runs) {
    if (!isPart && findRun(now, run) === undefined)
      uncovered.push(refuse(nameRun(run), 'is in the baseline, but not in the profile'));
  }
  if (pairs.length === 0) uncovered.push(refuse('all runs', 'none of them is in the baseline'));
  const settings = pairs.map(judgeSettings);
  const same = pairs.filter((_, i) => settings[i]?.state === 'ok');
  return [
    ...judgeFrames(baseline, now),
    ...settings,
    ...uncovered,
    ...same.map(judgeFirstBatches),
    ...same.map(judgeLoss),
    ...same.map(judgeSpikeRates),
    ...same.map(judgeTauSpread),
    ...judgeAccuracy(same),
  ];
}

function refuse(subject: string, text: string): Finding {
  return judgeSize('settings', subject, Number.POSITIVE_INFINITY, text);
}
