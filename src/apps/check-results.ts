import { type Baseline, baselinePathOf, findRun, nameRun, readBaseline } from '../baseline/baseline.ts';
import { type Finding, RULES } from '../baseline/finding.ts';
import { type JudgedClaim, judgeBaseline, judgeClaims } from '../baseline/judge.ts';
import { quoteWords } from '../files/shell-words.ts';
import type { Plan } from '../runner/plan/plan.ts';
import type { InstanceStatus } from '../runner/run/status.ts';
import { VERDICT_TITLES } from '../thesis/verdicts.ts';
import { collectResults, findResults, readVerdicts } from './baseline.ts';
import type { CheckedItem, CheckedSection } from './check-group.ts';
import { type PipelineOptions, pipelineArguments } from './load-plan.ts';

/** Whether the last run's results contradict a published claim, or got worse than the committed baseline; refuses stale ones. */
export async function checkResults(plan: Plan, options: PipelineOptions): Promise<CheckedSection[]> {
  const results = await findResults(plan);
  if (results.kind === 'stale') return [refuseStale(plan, options, results.stale)];
  const claims = await readVerdicts(plan);
  const baseline = await readBaseline(plan.projectRoot, plan.profile);
  const verdicts = sectionOfClaims(plan.profile, baseline, claims);
  if (baseline === null) return [verdicts, missingBaseline(plan)];
  const now = await collectResults(plan, results.statuses, claims);
  return [verdicts, sectionOfBaseline(plan, baseline, now, selectsRuns(options.set))];
}

function refuseStale(plan: Plan, options: PipelineOptions, stale: readonly InstanceStatus[]): CheckedSection {
  const items = stale.map(
    ({ id, state, reasons, error }): CheckedItem => ({
      name: id,
      state: 'failed',
      word: state === 'running' ? 'still running' : 'not up to date',
      text: error?.text ?? reasons.map(({ text }) => text).join('; '),
    }),
  );
  const command = `./repro run ${quoteWords(pipelineArguments({ ...options, profile: plan.profile }))}`;
  return {
    document: {
      kind: 'results',
      profile: plan.profile,
      stale: stale.map(({ id, state, reasons }) => ({ id, state, reasons })),
      command,
    },
    group: {
      title: `results of profile ${plan.profile}`,
      items,
      rows: items,
      isGood: false,
      summary: `profile ${plan.profile}: ${stale.length === 1 ? 'one result is' : `${stale.length} results are`} not of the present code, configuration and data, so nothing is judged`,
      remedy: [`run ${stale.length === 1 ? 'it' : 'them'} first: ${command}`],
    },
  };
}

function missingBaseline({ profile }: Plan): CheckedSection {
  const file = baselinePathOf(profile);
  const item: CheckedItem = {
    name: file,
    state: 'failed',
    word: 'missing',
    text: 'there is nothing to compare with',
  };
  return {
    document: { kind: 'baseline', profile, file, findings: null },
    group: {
      title: `baseline of profile ${profile}`,
      items: [item],
      rows: [item],
      isGood: false,
      summary: `profile ${profile}: it has no baseline`,
      remedy: [`write it from these results, and commit it: ${updateCommand(profile)}`],
    },
  };
}

/** Whether `--set` selects models or seeds, so that others may be missing. */
function selectsRuns(set: readonly string[]): boolean {
  return set.some((assignment) => /^\s*(models|seeds)\s*[=.[]/.test(assignment));
}

function sectionOfBaseline(
  { profile }: Plan,
  baseline: Baseline,
  now: Baseline,
  isSelection: boolean,
): CheckedSection {
  const file = baselinePathOf(profile);
  const findings = judgeBaseline(baseline, now, isSelection);
  const failed = findings.filter(({ state }) => state === 'failed').length;
  const compared = now.runs.filter((run) => findRun(baseline, run) !== undefined).length;
  const share = compared === now.runs.length ? '' : ` of ${compared} of ${now.runs.length} runs`;
  return {
    document: {
      kind: 'baseline',
      profile,
      file,
      engines: now.runs.map((run) => ({
        run: nameRun(run),
        now: run.engine,
        baseline: findRun(baseline, run)?.engine ?? null,
      })),
      findings: findings.map(({ rule, subject, state, text }) => ({ rule, subject, state, text })),
    },
    group: {
      title: `baseline of profile ${profile}`,
      items: findings.map(itemOfFinding),
      rows: foldFindings(findings),
      isGood: failed === 0,
      summary:
        failed === 0
          ? `profile ${profile}: the results${share} agree with ${file}${describeEngines(baseline, now)}`
          : `profile ${profile}: ${failed} of ${findings.length} comparisons with ${file} failed${describeEngines(baseline, now)}`,
      remedy: [...describeRemedies(findings), updateCommand(profile)],
    },
  };
}

/** What to do about the rules that fail, and before the command that writes the baseline anew. */
function describeRemedies(findings: readonly Finding[]): string[] {
  const failed = new Set(findings.filter(({ state }) => state === 'failed').map(({ rule }) => rule));
  const known: readonly (readonly [Finding['rule'], string])[] = [
    ['frames', 'the frames are other ones, from which everything else follows: docs/check.md'],
    ['runs', 'the profile has other models or seeds than the baseline'],
    ['settings', 'the baseline was made with other settings'],
  ];
  const causes = known.filter(([rule]) => failed.has(rule)).map(([, text]) => text);
  return [
    ...(causes.length > 0 ? causes : ['what each alarm means: docs/check.md']),
    'if the results are meant to change, write the baseline again:',
  ];
}

/** If another engine computed them, numbers need not be equal to the last digit. */
function describeEngines(baseline: Baseline, now: Baseline): string {
  const [before, after] = [baseline, now].map(({ runs }) =>
    [...new Set(runs.map(({ engine }) => engine))].join(', '),
  );
  return before === after ? '' : ` (engine ${after}; that of the baseline: ${before})`;
}

function updateCommand(profile: string): string {
  return `./repro baseline update --profile ${quoteWords([profile])}`;
}

function itemOfFinding({ rule, subject, state, text }: Finding): CheckedItem {
  return { name: `${rule}: ${subject}`, state, word: state, text };
}

/**
 * For people: a row for every failure, or else one for all that passed, with the finding that is nearest to its limit; and beside them one for
 * what was not compared, and one for each thing to know.
 */
function foldFindings(findings: readonly Finding[]): CheckedItem[] {
  return RULES.flatMap((rule): CheckedItem[] => {
    const all = findings.filter((one) => one.rule === rule);
    const of = (state: Finding['state']) => all.filter((one) => one.state === state);
    const failed = of('failed');
    return [
      ...failed.map((one) => row(one, '')),
      ...(failed.length > 0 ? [] : foldPassed(of('ok'))),
      ...of('noted').map((one) => row(one, '')),
      ...foldSkipped(of('skipped')),
    ];
  });
}

function foldPassed(passed: readonly Finding[]): CheckedItem[] {
  const [nearest] = [...passed].sort((a, b) => b.size - a.size);
  if (nearest === undefined) return [];
  const which = nearest.size > 0 ? 'nearest to its limit is' : 'for example';
  return [row(nearest, passed.length > 1 ? `all ${passed.length}, ${which} ` : '')];
}

/** Those with one reason share a row. */
function foldSkipped(skipped: readonly Finding[]): CheckedItem[] {
  return [...new Set(skipped.map(({ text }) => text))].flatMap((text) => {
    const same = skipped.filter((one) => one.text === text);
    const [first] = same;
    if (first === undefined) return [];
    return [row({ ...first, subject: same.map(({ subject }) => subject).join('; ') }, '')];
  });
}

function row({ rule, state, subject, text }: Finding, prefix: string): CheckedItem {
  return { name: rule, state, word: state, text: `${prefix}${subject}: ${text}` };
}

/** What the report's verdicts on the published claims say, next to those of the baseline. */
export function sectionOfClaims(
  profile: string,
  ...[baseline, claims]: Parameters<typeof judgeClaims>
): CheckedSection {
  const judged = judgeClaims(baseline, claims);
  const items = judged.map(itemOfClaim);
  const rows = items.filter(({ state }) => state !== 'skipped');
  const reduced = judged.filter(({ verdict }) => verdict === 'reduced-scale').length;
  const answered = rows.length - reduced;
  const besides =
    reduced === 0 ? '' : `; ${reduced} ${reduced === 1 ? 'is' : 'are'} measured at reduced scale`;
  const failed = items.filter(({ state }) => state === 'failed').length;
  const reasons = new Set(claims.map(({ reason }) => reason));
  const known = judged.filter(({ verdict, isWorse }) => verdict === 'not-reproduced' && !isWorse).length;
  const summary =
    failed > 0
      ? `${failed} of ${answered} claims that it can judge ${failed === 1 ? 'is' : 'are'} not reproduced, or worse than in the baseline`
      : answered === 0
        ? `it can judge none of ${claims.length} claims${reasons.size === 1 ? `. ${[...reasons][0]}` : besides}`
        : known > 0
          ? `none of ${answered} claims that it can judge is worse than in the baseline, where ${known} ${known === 1 ? 'is' : 'are'} not reproduced either${besides}`
          : `none of ${answered} claims that it can judge is contradicted${besides}`;
  return {
    document: { kind: 'claims', profile, claims: judged },
    group: {
      title: `claims, profile ${profile}`,
      items,
      rows,
      isGood: failed === 0,
      summary: `profile ${profile}: ${summary}`,
      remedy: ['what each verdict means: docs/claims.md; if it is right, accept it: ./repro baseline update'],
    },
  };
}

function itemOfClaim({
  id,
  statement,
  measured,
  verdict,
  reason,
  before,
  isWorse,
}: JudgedClaim): CheckedItem {
  const old = before === null || before === verdict ? '' : ` In the baseline: ${VERDICT_TITLES[before]}.`;
  const known = verdict === 'not-reproduced' && !isWorse;
  return {
    name: `claim ${id}`,
    state: isWorse
      ? 'failed'
      : verdict === 'not-applicable'
        ? 'skipped'
        : known || verdict === 'reduced-scale'
          ? 'noted'
          : 'ok',
    word: VERDICT_TITLES[verdict],
    text: `${statement}. ${measured === null ? '' : `Measured: ${measured}. `}${reason}${old}${known ? ' As in the baseline.' : ''}`,
  };
}
