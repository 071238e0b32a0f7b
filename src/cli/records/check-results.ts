import { type Baseline, baselinePathOf, nameRun } from '../../baseline/baseline.ts';
import { type ClaimVerdict, readClaimVerdicts } from '../../baseline/claims.ts';
import { type Finding, RULES } from '../../baseline/finding.ts';
import { judgeBaseline } from '../../baseline/judge.ts';
import { readBaseline } from '../../baseline/read.ts';
import { quoteWords } from '../../files/shell-words.ts';
import type { Plan } from '../../runner/plan.ts';
import type { InstanceStatus } from '../../runner/status.ts';
import { type PipelineOptions, pipelineArguments } from '../load.ts';
import type { CheckedItem } from './check-group.ts';
import type { CheckedSection } from './check-section.ts';
import { claimsFileOf, collectResults, findResults } from './results.ts';

/** Whether the last run's results contradict a published claim, or got worse than the committed baseline; refuses stale ones. */
export async function checkResults(plan: Plan, options: PipelineOptions): Promise<CheckedSection[]> {
  const results = await findResults(plan);
  if (results.kind === 'stale') return [refuseStale(plan, options, results.stale)];
  const claims = await readClaimVerdicts(claimsFileOf(plan));
  const baseline = await readBaseline(plan.projectRoot, plan.profile);
  if (baseline === null) return [sectionOfClaims(plan, claims), missingBaseline(plan)];
  const now = await collectResults(plan, results.statuses);
  return [sectionOfClaims(plan, claims), sectionOfBaseline(plan, baseline, now)];
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
  const command = `npx repro run ${quoteWords(pipelineArguments({ ...options, profile: plan.profile }))}`;
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

const claimWords = {
  reproduced: ['ok', 'reproduced'],
  'not-reproduced': ['failed', 'not reproduced'],
  inconclusive: ['ok', 'inconclusive'],
  'not-applicable': ['skipped', 'not applicable'],
} as const;

function sectionOfClaims({ profile }: Plan, claims: readonly ClaimVerdict[]): CheckedSection {
  const items = claims.map(({ id, statement, measured, verdict, reason }): CheckedItem => {
    const [state, word] = claimWords[verdict];
    const text = `${statement}. ${measured === null ? '' : `Measured: ${measured}. `}${reason}`;
    return { name: `claim ${id}`, state, word, text };
  });
  const judged = items.filter(({ state }) => state !== 'skipped');
  const failed = items.filter(({ state }) => state === 'failed').length;
  const reasons = new Set(claims.map(({ reason }) => reason));
  return {
    document: { kind: 'claims', profile, claims },
    group: {
      title: `claims, profile ${profile}`,
      items,
      rows: judged,
      isGood: failed === 0,
      summary:
        failed > 0
          ? `profile ${profile}: ${failed} of ${judged.length} claims that it can judge ${failed === 1 ? 'is' : 'are'} not reproduced`
          : judged.length > 0
            ? `profile ${profile}: none of ${judged.length} claims that it can judge is contradicted`
            : `profile ${profile}: it can judge none of ${claims.length} claims${reasons.size === 1 ? `. ${[...reasons][0]}` : ''}`,
      remedy: ['what each verdict means: docs/claims.md'],
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

function sectionOfBaseline(plan: Plan, baseline: Baseline, now: Baseline): CheckedSection {
  const { profile } = plan;
  const file = baselinePathOf(profile);
  const findings = judgeBaseline(baseline, now, plan.lock.isOverridden);
  const failed = findings.filter(({ state }) => state === 'failed').length;
  const isSettings = findings.some(({ rule, state }) => rule === 'settings' && state === 'failed');
  return {
    document: {
      kind: 'baseline',
      profile,
      file,
      engines: now.runs.map((run) => ({
        run: nameRun(run),
        now: run.engine,
        baseline:
          baseline.runs.find(({ model, seed }) => model === run.model && seed === run.seed)?.engine ?? null,
      })),
      findings: findings.map(({ rule, subject, state, text }) => ({ rule, subject, state, text })),
    },
    group: {
      title: `baseline of profile ${profile}`,
      items: findings.map(itemOf),
      rows: foldFindings(findings),
      isGood: failed === 0,
      summary:
        failed === 0
          ? `profile ${profile}: the results agree with ${file}${describeEngines(baseline, now)}`
          : `profile ${profile}: ${failed} of ${findings.length} comparisons with ${file} failed${describeEngines(baseline, now)}`,
      remedy: [
        isSettings
          ? 'the baseline was made with other settings; if they are meant to change, write it anew:'
          : 'docs/check.md tells what each alarm means; if the results are meant to change, write the baseline anew:',
        updateCommand(profile),
      ],
    },
  };
}

/** If another engine computed them, numbers need not be equal to the last digit. */
function describeEngines(baseline: Baseline, now: Baseline): string {
  const [before, after] = [baseline, now].map(({ runs }) =>
    [...new Set(runs.map(({ engine }) => engine))].join(', '),
  );
  return before === after ? '' : ` (engine ${after}; that of the baseline: ${before})`;
}

function updateCommand(profile: string): string {
  return `npx repro baseline update --profile ${quoteWords([profile])}`;
}

function itemOf({ rule, subject, state, text }: Finding): CheckedItem {
  return { name: `${rule}: ${subject}`, state, word: state, text };
}

/** A row for each rule: every failure, or else the finding that is nearest to one, for all. */
function foldFindings(findings: readonly Finding[]): CheckedItem[] {
  return RULES.flatMap((rule): CheckedItem[] => {
    const all = findings.filter((one) => one.rule === rule);
    const failed = all.filter(({ state }) => state === 'failed');
    if (failed.length > 0) {
      return failed.map(({ subject, text }) => ({
        name: rule,
        state: 'failed',
        word: 'failed',
        text: `${subject}: ${text}`,
      }));
    }
    const good = all.filter(({ state }) => state === 'ok').sort((a, b) => b.size - a.size);
    const shown = good.length > 0 ? good : all;
    const [nearest] = shown;
    if (nearest === undefined) return [];
    const which = nearest.size > 0 ? 'nearest to its limit is' : 'for example';
    const rest = shown.length > 1 ? `all ${shown.length}, ${which} ` : '';
    return [
      {
        name: rule,
        state: nearest.state,
        word: nearest.state,
        text: `${rest}${nearest.subject}: ${nearest.text}`,
      },
    ];
  });
}
