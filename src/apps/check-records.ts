import { ReproError } from '../errors.ts';
import { quoteWords } from '../files/shell-words.ts';
import {
  checkRecords,
  listCommittedRecords,
  type RecordChecks,
} from '../runner/freshness/committed-records.ts';
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
        fix: 'List one, or name one whose records you wrote with `./repro lock`: ./repro check --profile NAME',
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

const shown = {
  ok: ['ok', 'ok'],
  differs: ['failed', 'differs'],
  unconfirmed: ['unsure', 'unconfirmed'],
  missing: ['failed', 'no record'],
} as const;

function describeRecords({ profile }: Plan, { checks, orphans }: RecordChecks, remedy: string): CheckedGroup {
  const items: CheckedItem[] = [
    ...checks.map(({ id, state, reasons }) => ({
      name: id,
      state: shown[state][0],
      word: shown[state][1],
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
  const [count, wrong] = [items.length, bad + orphans.length];
  // Damaged records and conflicts also count as records.
  const hasNone =
    orphans.length === 0 &&
    checks.every(
      ({ reasons, state }) =>
        state === 'missing' && reasons.every(({ text }) => text.endsWith(' is missing')),
    );
  const [its, all] =
    count === 1
      ? ['its record', 'its record belongs']
      : [`${wrong} of ${count} records`, `all ${count} records belong`];
  const summary = hasNone
    ? `there are no records of it under ${committedFolder} yet, so nothing was checked`
    : `${wrong === 0 ? all : `${its} ${wrong === 1 ? 'does' : 'do'} not belong`} to this code and configuration`;
  const again = `make ${bad === 1 ? 'it' : 'them'}${hasNone ? '' : ' again'}: ${remedy}`;
  return {
    title: `records of profile ${profile}`,
    items,
    rows: items,
    isGood: wrong === 0,
    summary: `profile ${profile}: ${summary}`,
    remedy: bad === 0 ? [] : [again],
  };
}
