import type { ClaimVerdict } from '../results/claims-file.ts';
import type { Verdict } from '../thesis/verdicts.ts';
import { judgeAccuracy } from './accuracy-rule.ts';
import { type Baseline, findRun, nameRun, type RunFacts } from './baseline.ts';
import {
  judgeChosenEpoch,
  judgeFrames,
  judgeLearningRate,
  judgeSameDigits,
  judgeSettings,
} from './exact-rules.ts';
import { type Finding, judgeSize, type Pair, skip } from './finding.ts';
import {
  judgeFirstBatches,
  judgeLoss,
  judgeSpikeRates,
  judgeTau,
  judgeTauSpread,
} from './tolerance-rules.ts';

/**
 * Compares results with a baseline, rule by rule. Runs with other settings are not compared further: a difference would say nothing about
 * the code.
 *
 * @param isSelection whether `--set` selects models or seeds: then runs that only one of both has are skipped instead of failed
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

/** A report's verdict on a claim, and whether it is one to fail for. */
export interface JudgedClaim extends ClaimVerdict {
  /** That of the baseline; null without one, or if it does not have this claim. */
  readonly before: Verdict | null;
  readonly isWorse: boolean;
}

/** Verdicts that answer the claim, the better the higher; the others do not say whether it holds. */
const RANKS: Readonly<Partial<Record<Verdict, number>>> = {
  reproduced: 2,
  inconclusive: 1,
  'not-reproduced': 0,
};

/**
 * Whether verdicts got worse than those of the baseline, which someone has seen and committed. Without one to compare with, `not-reproduced`
 * fails by itself. `not-applicable` and `reduced-scale` say nothing about the claim; the rule `settings` notices if settings changed.
 */
export function judgeClaims(
  baseline: Pick<Baseline, 'claims'> | null,
  claims: readonly ClaimVerdict[],
): JudgedClaim[] {
  return claims.map((claim) => {
    const known = baseline?.claims ?? {};
    const before = Object.hasOwn(known, claim.id) ? (known[claim.id] ?? null) : null;
    return { ...claim, before, isWorse: isWorse(before, claim.verdict) };
  });
}

function isWorse(before: Verdict | null, now: Verdict): boolean {
  const rank = RANKS[now];
  if (rank === undefined) return false;
  const known = before === null ? undefined : RANKS[before];
  return known === undefined ? now === 'not-reproduced' : rank < known;
}
