import { ReproError } from '../errors.ts';
import { quoteWords } from '../files/shell-words.ts';
import { listCommittedRecords } from '../runner/freshness/committed-records.ts';
import { checkRecords, type RecordChecks } from '../runner/freshness/record-checks.ts';
import type { StaleReason } from '../runner/freshness/stale-reason.ts';
import type { Plan } from '../runner/plan/plan.ts';
import { committedFolder } from '../runner/store/cache-folder.ts';
import type { CheckedGroup, CheckedItem, CheckedSection } from './check-group.ts';
import { factsOf } from './facts.ts';
import { loadSelectedPlan, type PipelineOptions, pipelineArguments } from './load-plan.ts';

/** The profile that the options name, or else those under `lock:`. */
export async function loadRecordedPlans(plan: Plan, options: PipelineOptions): Promise<Plan[]> {
  if (options.profile !== undefined || options.set.length > 0) return [plan];
  if (plan.recordedProfiles.length === 0) {
    throw new ReproError(
      'no-lock',
      'pipeline.yaml lists no profile under `lock:`, so there are no records to check',
      {
        fix: 'List one, or name one whose records you wrote with `repro lock`: ./repro check --profile NAME',
      },
    );
  }
  return Promise.all(
    plan.recordedProfiles.map((profile) =>
      profile === plan.profile ? plan : loadSelectedPlan({ ...options, profile }),
    ),
  );
}

/** Whether a plan has records of its own, which a run or a person wrote. */
export function hasRecords(plan: Plan): boolean {
  const isTrialOfLocked = plan.trial !== undefined && plan.recordedProfiles.includes(plan.profile);
  return listCommittedRecords(plan).length > 0 && !isTrialOfLocked;
}

/** Whether the committed records of a profile belong to what is here. */
export async function checkRecordsOf(
  plan: Plan,
  options: PipelineOptions & { readonly data: boolean },
): Promise<CheckedSection> {
  const result = await checkRecords(plan, { withData: options.data, facts: factsOf(plan.projectRoot) });
  return {
    document: { kind: 'records', profile: plan.profile, ...result },
    group: describeRecords(plan, result, describeRemedy(plan, options)),
  };
}

/** The commands that make the records again: only runs of profiles under `lock:` write them by themselves. */
function describeRemedy({ profile, recordedProfiles, trial }: Plan, options: PipelineOptions): string {
  const words = quoteWords(pipelineArguments({ ...options, profile }));
  const run = `./repro run ${words}`;
  return recordedProfiles.includes(profile) && trial === undefined ? run : `${run} && ./repro lock ${words}`;
}

const words = { ok: 'ok', differs: 'differs', unconfirmed: 'unconfirmed', missing: 'no record' } as const;
const states = { ok: 'ok', differs: 'failed', unconfirmed: 'unsure', missing: 'failed' } as const;

/** Whether there are no records at all, rather than bad ones. */
function hasNone({ checks, orphans }: RecordChecks): boolean {
  return (
    orphans.length === 0 &&
    checks.every(({ reasons, state }) => state === 'missing' && reasons.every(isAbsence))
  );
}

/** A damaged record, or one with conflicts, is there. */
function isAbsence({ text }: StaleReason): boolean {
  return text.endsWith(' is missing');
}

function describeRecords({ profile }: Plan, { checks, orphans }: RecordChecks, remedy: string): CheckedGroup {
  const items: CheckedItem[] = [
    ...checks.map(({ id, state, reasons }) => ({
      name: id,
      state: states[state],
      word: words[state],
      text: reasons.map(({ text }) => text).join('; '),
    })),
    ...orphans.map((file) => ({
      name: file,
      state: 'failed' as const,
      word: 'stray',
      text: 'belongs to no stage of this profile: delete it',
    })),
  ];
  const bad = checks.filter(({ state }) => state !== 'ok').length;
  const count = items.length;
  const wrong = bad + orphans.length;
  const belong = 'to this code and configuration';
  const summary = hasNone({ checks, orphans })
    ? `profile ${profile}: there are no records of it under ${committedFolder} yet, so nothing was checked`
    : wrong === 0
      ? `profile ${profile}: ${count === 1 ? 'its record belongs' : `all ${count} records belong`} ${belong}`
      : `profile ${profile}: ${count === 1 ? 'its record' : `${wrong} of ${count} records`} ${wrong === 1 ? 'does' : 'do'} not belong ${belong}`;
  return {
    title: `records of profile ${profile}`,
    items,
    rows: items,
    isGood: wrong === 0,
    summary,
    remedy:
      bad === 0
        ? []
        : [`make ${bad === 1 ? 'it' : 'them'}${hasNone({ checks, orphans }) ? '' : ' again'}: ${remedy}`],
  };
}
