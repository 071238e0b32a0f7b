import { quoteWords } from '../../files/shell-words.ts';
import { loadPlan } from '../../runner/plan/load.ts';
import type { GoneOutput } from '../../runner/store/heal-store.ts';

/**
 * What helps against outputs that are nowhere any more, one line a profile and remedy: a run, for instances that the pipeline still has under
 * the profile of their last run; else to give them up.
 */
export async function adviseOnLost(projectRoot: string, gone: readonly GoneOutput[]): Promise<string[]> {
  const lines: string[] = [];
  for (const profile of new Set(gone.map((one) => one.profile))) {
    const ids = [...new Set(gone.filter((one) => one.profile === profile).map(({ id }) => id))];
    const known = await listInstances(projectRoot, profile);
    const run = profile === noProfile ? ['./repro', 'run'] : ['./repro', 'run', '--profile', profile];
    const withProfile = profile === noProfile ? '' : ` with profile ${profile}`;
    if (known === null) {
      lines.push(
        `The pipeline cannot be loaded${withProfile}. What it still has, a run computes again: ${quoteWords(run)}`,
      );
      continue;
    }
    const there = ids.filter((id) => known.has(id));
    const others = ids.filter((id) => !known.has(id));
    if (there.length > 0) lines.push(`A run computes it again: ${quoteWords([...run, ...there])}`);
    if (others.length > 0) {
      const forget = ['./repro', 'gc', ...others.flatMap((id) => ['--forget', id])];
      lines.push(`Not in the pipeline${withProfile}; give it up: ${quoteWords(forget)}`);
    }
  }
  return lines;
}

/** What records of a pipeline without profiles have. */
const noProfile = 'none';

/** null if the pipeline cannot be loaded. */
async function listInstances(projectRoot: string, profile: string): Promise<ReadonlySet<string> | null> {
  const load = async (name: string | undefined): Promise<ReadonlySet<string>> =>
    new Set((await loadPlan({ projectRoot, profile: name })).instances.keys());
  try {
    return await load(profile);
  } catch {
    return profile === noProfile ? load(undefined).catch(() => null) : null;
  }
}
