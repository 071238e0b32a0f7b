import { type Baseline, findRun, nameRun, type RunFacts } from './baseline.ts';
import { type Finding, judgeSize, skip } from './finding.ts';
import { judgeAccuracy } from './rules/accuracy.ts';
import { judgeChosenEpoch } from './rules/chosen-epoch.ts';
import { judgeFirstBatches } from './rules/first-batches.ts';
import { judgeFrames } from './rules/frames.ts';
import { judgeSpikeRates, judgeTau, judgeTauSpread } from './rules/layers.ts';
import { judgeLearningRate } from './rules/learning-rate.ts';
import { judgeLoss } from './rules/loss.ts';
import type { Pair } from './rules/pair.ts';
import { judgeSameDigits } from './rules/same-digits.ts';
import { judgeSettings } from './rules/settings.ts';

/**
 * Compares results with a baseline, rule by rule. Runs with other settings are not compared further: the difference would say nothing of
 * the code.
 *
 * @param isSelection whether `--set` selects models or seeds: then the results may lack runs of the baseline, and the other way round,
 *   which is only told
 */
export function judgeBaseline(baseline: Baseline, now: Baseline, isSelection: boolean): Finding[] {
  const pairs = now.runs.flatMap((run): Pair[] => {
    const before = findRun(baseline, run);
    return before === undefined ? [] : [{ before, now: run }];
  });
  const settings = pairs.map(judgeSettings);
  const same = pairs.filter((_, i) => settings[i]?.state === 'ok');
  return [
    ...judgeFrames(baseline, now),
    ...judgeRuns(baseline, now, isSelection),
    ...settings,
    ...same.map(judgeSameDigits),
    ...same.map(judgeFirstBatches),
    ...same.map(judgeLearningRate),
    ...same.map(judgeLoss),
    ...same.map(judgeSpikeRates),
    ...same.map(judgeTau),
    ...same.map(judgeTauSpread),
    ...same.map(judgeChosenEpoch),
    ...judgeAccuracy(same),
  ];
}

/** Whether both have the same models and seeds. */
function judgeRuns(baseline: Baseline, now: Baseline, isSelection: boolean): Finding[] {
  const miss = (run: RunFacts, text: string): Finding =>
    isSelection
      ? skip('runs', nameRun(run), `not compared: it ${text}, and --set selects models or seeds`)
      : judgeSize('runs', nameRun(run), Number.POSITIVE_INFINITY, text);
  const added = now.runs.filter((run) => findRun(baseline, run) === undefined);
  const missing = baseline.runs.filter((run) => findRun(now, run) === undefined);
  const shared = now.runs.length - added.length;
  return [
    shared === 0
      ? judgeSize('runs', 'all runs', Number.POSITIVE_INFINITY, 'none of them is in the baseline')
      : judgeSize('runs', 'all runs', 0, `${shared} ${shared === 1 ? 'is' : 'are'} in both`),
    ...added.map((run) => miss(run, 'is not in the baseline')),
    ...missing.map((run) => miss(run, 'is in the baseline, but was not run')),
  ];
}
