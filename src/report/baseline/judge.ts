import type { ClaimVerdict } from '../../verdicts/claims-file.ts';
import { DIFFERENCE_TITLES, type DifferenceVerdict, type Verdict } from '../../verdicts/verdicts.ts';
import { checkAccuracy } from './accuracy-rule.ts';
import { type Baseline, findBaselineRun, nameRun, type RunFacts } from './baseline.ts';
import {
  judgeChosenEpoch,
  judgeFrames,
  judgeLearningRate,
  judgeSameDigits,
  judgeSettings,
} from './exact-rules.ts';
import {
  type BaselineFinding,
  fail,
  measure,
  note,
  type Pair,
  type Rule,
  type RuleOutcome,
  skip,
} from './finding.ts';
import { judgeFirstBatches, judgeLayers, judgeLoss, judgeTauSpread } from './tolerance-rules.ts';

/** The rules for a run with the settings of the baseline. */
const runRules: readonly (readonly [Rule, (pair: Pair) => RuleOutcome])[] = [
  ['same digits', judgeSameDigits],
  ['first batches', judgeFirstBatches],
  ['learning rate', judgeLearningRate],
  ['loss', judgeLoss],
  ['spike rates', (pair) => judgeLayers('spikeRates', pair)],
  ['τ', (pair) => judgeLayers('tauMeans', pair)],
  ['σ(τ)', judgeTauSpread],
  ['chosen epoch', judgeChosenEpoch],
];

/**
 * Compares results with a baseline, rule by rule. Runs with other settings are not compared further: a difference would say nothing about
 * the code.
 *
 * @param isSelection whether `--set` selects models or seeds: then runs that only one of both has are skipped instead of failed
 */
export function judgeBaseline(baseline: Baseline, now: Baseline, isSelection: boolean): BaselineFinding[] {
  const pairs = now.runs.flatMap((run): Pair[] => {
    const before = findBaselineRun(baseline, run);
    return before === undefined ? [] : [{ before, now: run }];
  });
  const apply = (rule: Rule, judge: (pair: Pair) => RuleOutcome, to: readonly Pair[]) =>
    to.map((pair): BaselineFinding => ({ rule, subject: nameRun(pair.now), ...judge(pair) }));
  const settings = apply('settings', judgeSettings, pairs);
  const same = pairs.filter((_, i) => settings[i]?.state === 'ok');
  return [
    ...judgeFrames(baseline, now),
    ...judgeRuns(baseline, now, isSelection),
    ...settings,
    ...runRules.flatMap(([rule, judge]) => apply(rule, judge, same)),
    ...checkAccuracy(same),
    ...judgeQuestion(baseline.question, now.question),
  ];
}

/** What verdicts say that can be contradicted; a small difference fits both. */
const SIDES: Readonly<Record<DifferenceVerdict, 'large' | 'none' | null>> = {
  different: 'large',
  slight: null,
  equivalent: 'none',
  undecided: null,
};

/**
 * Whether the answer to the profile's question is still that of the baseline. Only `different` and `equivalent` contradict each other; the
 * evidence may fall short of either by chance, with another engine or fewer seeds.
 */
function judgeQuestion(before: Baseline['question'] = {}, now: Baseline['question'] = {}): BaselineFinding[] {
  return Object.keys({ ...before, ...now }).map((model): BaselineFinding => {
    const [old, fresh] = [before, now].map((answers) =>
      Object.hasOwn(answers, model) ? answers[model] : ('none' as const),
    );
    const name = (one: typeof old) => (one === undefined || one === 'none' ? 'none' : DIFFERENCE_TITLES[one]);
    const text = `${name(fresh)}; in the baseline: ${name(old)}`;
    const sides = [old, fresh].map((one) => (one === undefined || one === 'none' ? null : SIDES[one]));
    const contradicts = sides.every((side) => side !== null) && sides[0] !== sides[1];
    const outcome = old === fresh ? measure(0, text) : contradicts ? fail(text) : note(text);
    return { rule: 'question', subject: model, ...outcome };
  });
}

/** Whether both have the same models and seeds. */
function judgeRuns(baseline: Baseline, now: Baseline, isSelection: boolean): BaselineFinding[] {
  const miss =
    (text: string) =>
    (run: RunFacts): BaselineFinding => ({
      rule: 'runs',
      subject: nameRun(run),
      ...(isSelection ? skip(`not compared: it ${text}, and --set selects models or seeds`) : fail(text)),
    });
  const added = now.runs.filter((run) => findBaselineRun(baseline, run) === undefined);
  const missing = baseline.runs.filter((run) => findBaselineRun(now, run) === undefined);
  const shared = now.runs.length - added.length;
  const all =
    shared === 0
      ? fail('none of them is in the baseline')
      : measure(0, `${shared} ${shared === 1 ? 'is' : 'are'} in both`);
  return [
    { rule: 'runs', subject: 'all runs', ...all },
    ...added.map(miss('is not in the baseline')),
    ...missing.map(miss('is in the baseline, but was not run')),
  ];
}

/** A report's verdict on a claim, and whether it is one to fail for. */
export interface JudgedClaim extends ClaimVerdict {
  /** That of the baseline; null without one, or if it does not have this claim. */
  readonly before: Verdict | null;
  readonly isWorse: boolean;
}

/** The better, the higher; null does not say whether the claim holds. */
const RANKS: Readonly<Record<Verdict, number | null>> = {
  reproduced: 2,
  inconclusive: 1,
  'not-reproduced': 0,
  'reduced-scale': null,
  'not-applicable': null,
};

/**
 * Whether verdicts got worse than those of the baseline, which someone has seen and committed. Without one to compare with, `not-reproduced`
 * fails by itself. `not-applicable` and `reduced-scale` say nothing about the claim; the rule `settings` notices if settings changed.
 */
export function judgeVerdicts(
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
  if (rank === null) return false;
  const known = before === null ? null : RANKS[before];
  return known === null ? now === 'not-reproduced' : rank < known;
}
