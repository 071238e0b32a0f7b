import { readBaseline } from '../baseline/baseline.ts';
import { describeError, ReproError } from '../errors.ts';
import { hasResults } from './baseline.ts';
import { checkConfiguration } from './check-configuration.ts';
import { badGroup, type CheckedSection } from './check-group.ts';
import { checkRecordsOf, hasRecords, loadRecordedPlans } from './check-records.ts';
import { checkResults } from './check-results.ts';
import { loadSelectedPlan, type PipelineOptions } from './load-plan.ts';

/**
 * Checks committed records, published claims and the baseline; without data, the records, and whether the baseline is of this configuration.
 *
 * @param sections takes each part as soon as it is there: an error after it does not hide it. An error adds one of its own
 */
export async function checkAll(
  options: PipelineOptions & { readonly data: boolean },
  sections: CheckedSection[],
): Promise<void> {
  try {
    const plan = await loadSelectedPlan(options);
    if (!options.data || !hasResults(plan)) {
      // A baseline belongs to a profile as it is committed.
      const baseline =
        plan.trial === undefined && hasResults(plan)
          ? await readBaseline(plan.projectRoot, plan.profile)
          : null;
      if (baseline !== null) sections.push(await checkConfiguration(plan, baseline));
      // Without a profile's name, the records of all profiles under `lock:` are checked, too.
      if (baseline !== null && options.profile !== undefined && !hasRecords(plan)) return;
      for (const recorded of await loadRecordedPlans(plan, options)) {
        sections.push(await checkRecordsOf(recorded, options));
      }
      return;
    }
    if (hasRecords(plan)) sections.push(await checkRecordsOf(plan, options));
    sections.push(...(await checkResults(plan, options)));
  } catch (error) {
    sections.push(sectionOfError(options.profile ?? 'default', error));
    throw error;
  }
}

/** The check could not be made. It fails in every form, so that no earlier result passes for the present one. */
function sectionOfError(profile: string, error: unknown): CheckedSection {
  const code = error instanceof ReproError ? error.code : 'internal';
  const text = describeError(error);
  const item = { name: 'repro check', state: 'error', word: 'error', text } as const;
  return {
    document: { kind: 'error', profile, code, text },
    group: badGroup('repro check', [item], { summary: 'the check could not be made', remedy: [] }),
  };
}
