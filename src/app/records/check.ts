import process from 'node:process';
import { quoteWords } from '../../base/files/shell-words.ts';
import { type Baseline, baselinePathOf, findBaselineRun, nameRun } from '../../report/baseline/baseline.ts';
import { readBaseline } from '../../report/baseline/collect.ts';
import { type BaselineFinding, RULES } from '../../report/baseline/finding.ts';
import { type JudgedClaim, judgeBaseline, judgeVerdicts } from '../../report/baseline/judge.ts';
import { ALL_OTHER_DATA, OTHER_DATA } from '../../report/claims/judgement.ts';
import type { Plan } from '../../runner/plan/plan.ts';
import type { InstanceStatus } from '../../runner/run/status.ts';
import { VERDICT_TITLES } from '../../verdicts/verdicts.ts';
import { lowerFirst } from '../../verdicts/words.ts';
import { exitCode } from '../process/ending.ts';
import { loadSelectedPlan, type PipelineOptions, pipelineArguments } from '../project/load-plan.ts';
import { type CheckedRow, type Checklist, describeChecklist } from '../view/checklist.ts';
import { colorsFor, printResult } from '../view/print.ts';
import { assertHasResults, collectBaseline, findResults, readVerdicts } from './baseline.ts';
import { compareConfiguration } from './check-configuration.ts';

/** One kind of check of one profile: for programs, and for people. */
interface CheckedSection extends Checklist {
  /** An entry of `checks` in the document of --json. */
  readonly document: {
    readonly kind: 'configuration' | 'results' | 'claims' | 'baseline';
    readonly profile: string;
    readonly [key: string]: unknown;
  };
}

interface CheckOptions extends PipelineOptions {
  readonly data: boolean;
}

/** `repro check`. Exits with 4 if something fails, and with 3 if results are merely stale. */
export async function check(options: CheckOptions): Promise<void> {
  const sections = await checkAll(options);
  const failed = sections.filter(({ isGood }) => !isGood);
  const document = { ok: failed.length === 0, checks: sections.map((section) => section.document) };
  printResult(options, 'check', document, () =>
    sections.flatMap((section) => describeChecklist(section, colorsFor(process.stdout))),
  );
  if (failed.length === 0) return;
  const isOnlyStale = failed.every((section) => section.document.kind === 'results');
  process.exitCode = isOnlyStale ? exitCode.stale : exitCode.differs;
}

/**
 * Checks whether the last run's results contradict a published claim, or got worse than the committed baseline; refuses stale ones. Without
 * data, only whether the baseline is of this configuration.
 *
 * @throws {ReproError} `no-results`
 */
async function checkAll(options: CheckOptions): Promise<CheckedSection[]> {
  const plan = await loadSelectedPlan(options);
  assertHasResults(plan);
  const baseline = await readBaseline(plan.projectRoot, plan.profile);
  if (!options.data)
    return [baseline === null ? missingBaseline(plan) : await checkConfiguration(plan, baseline)];
  const results = await findResults(plan);
  if (results.kind === 'stale') return [refuseStale(plan, options, results.stale)];
  const said = await readVerdicts(plan);
  const verdicts = sectionOfClaims(plan.profile, baseline, said.claims);
  if (baseline === null) return [verdicts, missingBaseline(plan)];
  const now = await collectBaseline(plan, results.statuses, said);
  return [verdicts, sectionOfBaseline(plan, baseline, now, selectsRuns(options.set))];
}

function refuseStale(
  { profile }: Plan,
  options: PipelineOptions,
  stale: readonly InstanceStatus[],
): CheckedSection {
  const command = `./repro run ${quoteWords(pipelineArguments({ ...options, profile }))}`;
  const [count, them] =
    stale.length === 1 ? ['one result is', 'it'] : [`${stale.length} results are`, 'them'];
  return {
    document: {
      kind: 'results',
      profile,
      stale: stale.map(({ id, state, reasons }) => ({ id, state, reasons })),
      command,
    },
    rows: stale.map(({ id, state, reasons, error }) => ({
      name: id,
      state: 'failed',
      word: state === 'running' ? 'still running' : 'not up to date',
      text: error?.text ?? reasons.map(({ text }) => text).join('; '),
    })),
    isGood: false,
    summary: `profile ${profile}: ${count} not up to date with the present code, configuration and data, so nothing is judged`,
    remedy: [`run ${them} first: ${command}`],
  };
}

function missingBaseline({ profile }: Plan): CheckedSection {
  const file = baselinePathOf(profile);
  return {
    document: { kind: 'baseline', profile, file, findings: null },
    rows: [{ name: file, state: 'failed', word: 'missing', text: 'there is nothing to compare with' }],
    isGood: false,
    summary: `profile ${profile}: it has no baseline`,
    remedy: [`write it from these results, and commit it: ${updateCommand(profile)}`],
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
  const compared = now.runs.filter((run) => findBaselineRun(baseline, run) !== undefined).length;
  const share = compared === now.runs.length ? '' : ` of ${compared} of ${now.runs.length} runs`;
  const engines = describeEngines(baseline, now);
  return {
    document: {
      kind: 'baseline',
      profile,
      file,
      engines: now.runs.map((run) => ({
        run: nameRun(run),
        now: run.engine,
        baseline: findBaselineRun(baseline, run)?.engine ?? null,
      })),
      findings: findings.map(({ rule, subject, state, text }) => ({ rule, subject, state, text })),
    },
    rows: foldFindings(findings),
    isGood: failed === 0,
    summary:
      failed === 0
        ? `profile ${profile}: the results${share} agree with ${file}${engines}`
        : `profile ${profile}: ${failed} of ${findings.length} comparisons with ${file} failed${engines}`,
    remedy: [...describeRemedies(findings), updateCommand(profile)],
  };
}

/** What may have caused the failures; the command that rewrites the baseline follows. */
function describeRemedies(findings: readonly BaselineFinding[]): string[] {
  const failed = new Set(findings.filter(({ state }) => state === 'failed').map(({ rule }) => rule));
  const known: readonly (readonly [BaselineFinding['rule'], string])[] = [
    ['frames', 'the frames differ, and everything else follows from them: docs/check.md'],
    ['runs', 'the profile has other models or seeds than the baseline'],
    ['settings', 'the baseline was made with other settings'],
  ];
  const causes = known.filter(([rule]) => failed.has(rule)).map(([, text]) => text);
  return [
    ...(causes.length > 0 ? causes : ['what each alarm means: docs/check.md']),
    'if the results are meant to change, write the baseline again:',
  ];
}

/** Both engines, if they differ: then numbers need not be equal to the last digit. */
function describeEngines(baseline: Baseline, now: Baseline): string {
  const [before, after] = [baseline, now].map(({ runs }) =>
    [...new Set(runs.map(({ engine }) => engine))].join(', '),
  );
  return before === after ? '' : ` (engine ${after}; that of the baseline: ${before})`;
}

function updateCommand(profile: string): string {
  return `./repro baseline update --profile ${quoteWords([profile])}`;
}

/**
 * Rows for people, for each rule: one per failure, or else one for all that passed, with the finding nearest to its limit; one per note;
 * and one per reason why something was not compared.
 */
function foldFindings(findings: readonly BaselineFinding[]): CheckedRow[] {
  return RULES.flatMap((rule): CheckedRow[] => {
    const of = (state: BaselineFinding['state']) =>
      findings.filter((one) => one.rule === rule && one.state === state);
    const [failed, passed, skipped] = [of('failed'), of('ok'), of('skipped')];
    const [nearest] = passed.toSorted((a, b) => b.size - a.size);
    const which = nearest !== undefined && nearest.size > 0 ? 'nearest to its limit is' : 'for example';
    const reasons = [...new Set(skipped.map(({ text }) => text))];
    return [
      ...failed.map((one) => row(one)),
      ...(failed.length > 0 || nearest === undefined
        ? []
        : [row(nearest, passed.length > 1 ? `all ${passed.length}, ${which} ` : '')]),
      ...of('noted').map((one) => row(one)),
      ...reasons.map((text) => {
        const subjects = skipped.filter((one) => one.text === text).map(({ subject }) => subject);
        return row({ rule, state: 'skipped', subject: subjects.join('; '), text });
      }),
    ];
  });
}

function row({ rule, state, subject, text }: Omit<BaselineFinding, 'size'>, prefix = ''): CheckedRow {
  return { name: rule, state, word: state, text: `${prefix}${subject}: ${text}` };
}

/** Why none is judged. @param besides what else is to be said of them */
function explainNone(claims: readonly Pick<JudgedClaim, 'reason'>[], besides: string): string {
  const [reason, ...others] = new Set(claims.map((claim) => claim.reason));
  const none = `none of ${claims.length} claims can be judged`;
  if (reason === undefined || others.length > 0) return none + besides;
  return reason === OTHER_DATA ? lowerFirst(ALL_OTHER_DATA) : `${none}. ${reason}`;
}

/** The report's verdicts on the published claims, compared with those in the baseline. */
export function sectionOfClaims(
  profile: string,
  ...[baseline, claims]: Parameters<typeof judgeVerdicts>
): CheckedSection {
  const judged = judgeVerdicts(baseline, claims);
  const rows = judged.map(rowOfClaim).filter(({ state }) => state !== 'skipped');
  const count = (are: (claim: JudgedClaim) => boolean) => judged.filter(are).length;
  const isAre = (n: number) => `${n} ${n === 1 ? 'is' : 'are'}`;
  const reduced = count(({ verdict }) => verdict === 'reduced-scale');
  const answered = rows.length - reduced;
  const failed = count(({ isWorse }) => isWorse);
  const known = count((claim) => claim.verdict === 'not-reproduced' && !claim.isWorse);
  const besides = reduced === 0 ? '' : `; ${isAre(reduced)} measured at reduced scale`;
  const summary =
    failed > 0
      ? `${failed} of ${answered} judged claims ${failed === 1 ? 'is' : 'are'} not reproduced, or worse than in the baseline`
      : answered === 0
        ? explainNone(claims, besides)
        : known === 0
          ? `none of ${answered} judged claims is contradicted${besides}`
          : `none of ${answered} judged claims is worse than in the baseline, where ${isAre(known)} also not reproduced${besides}`;
  return {
    document: { kind: 'claims', profile, claims: judged },
    rows,
    isGood: failed === 0,
    summary: `profile ${profile}: ${summary}`,
    remedy: ['what each verdict means: docs/claims.md; if it is right, accept it: ./repro baseline update'],
  };
}

/** How a verdict is shown unless it is worse than in the baseline. */
const claimStates: Readonly<Record<JudgedClaim['verdict'], CheckedRow['state']>> = {
  reproduced: 'ok',
  'not-reproduced': 'noted',
  inconclusive: 'noted',
  'reduced-scale': 'noted',
  'not-applicable': 'skipped',
};

function rowOfClaim(claim: JudgedClaim): CheckedRow {
  const { id, statement, measured, verdict, reason, before, isWorse } = claim;
  const isKnown = verdict === 'not-reproduced' && !isWorse;
  const text = [
    `${statement}.`,
    ...(measured === null ? [] : [`Measured: ${measured}.`]),
    reason,
    ...(before === null || before === verdict ? [] : [`In the baseline: ${VERDICT_TITLES[before]}.`]),
    ...(isKnown ? ['As in the baseline.'] : []),
  ].join(' ');
  const state = isWorse ? 'failed' : claimStates[verdict];
  return { name: `claim ${id}`, state, word: VERDICT_TITLES[verdict], text };
}

async function checkConfiguration(plan: Plan, baseline: Baseline): Promise<CheckedSection> {
  const { profile } = plan;
  const file = baselinePathOf(profile);
  const { differing, runs } = await compareConfiguration(plan, baseline);
  const isGood = differing.length === 0;
  return {
    document: { kind: 'configuration', profile, file, differing },
    rows: differing.map((one) => ({ ...one, state: 'failed', word: 'differs' })),
    isGood,
    summary: isGood
      ? `profile ${profile}: ${file} fits this configuration`
      : `profile ${profile}: ${differing.length} of ${runs} runs in ${file} do not fit this configuration`,
    remedy: [`make them again: ./repro run --profile ${quoteWords([profile])} && ${updateCommand(profile)}`],
  };
}
