import { readBaseline } from '../baseline/baseline.ts';
import { describeError, ReproError } from '../errors.ts';
import { assertHasResults } from './baseline.ts';
import { checkConfiguration } from './check-configuration.ts';
import { badGroup, type CheckedSection } from './check-group.ts';
import { checkResults, missingBaseline } from './check-results.ts';
import { loadSelectedPlan, type PipelineOptions } from './load-plan.ts';

/**
 * Checks published claims and the baseline; without data, whether the baseline is of this configuration.
 *
 * @param sections takes each part as soon as it is there: an error after it does not hide it. An error adds one of its own
 * @throws {ReproError} `no-results`
 */
export async function checkAll(
  options: PipelineOptions & { readonly data: boolean },
  sections: CheckedSection[],
): Promise<void> {
  try {
    const plan = await loadSelectedPlan(options);
    assertHasResults(plan);
    if (options.data) {
      sections.push(...(await checkResults(plan, options)));
      return;
    }
    const baseline = await readBaseline(plan.projectRoot, plan.profile);
    sections.push(baseline === null ? missingBaseline(plan) : await checkConfiguration(plan, baseline));
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
