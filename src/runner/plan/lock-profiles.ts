import { suggestName } from '../../schema/closest-name.ts';
import type { Problem } from '../../schema/problems.ts';
import type { PipelineFile } from './pipeline-file.ts';
import { listProfiles } from './profile.ts';
import type { ProjectPaths } from './project-paths.ts';

/** Names under `lock:` that are no profile: a typo would leave a profile's records as they are, silently. */
export async function findUnknownLocks(
  { content, document }: PipelineFile,
  paths: ProjectPaths,
): Promise<Problem[]> {
  const { lock = [], profiles } = content;
  if (lock.length === 0) return [];
  const at = (i: number) => document.positionOf(['lock', i]);
  if (profiles === undefined) {
    const fix = 'Leave out `lock:`, or name the folder of the profiles: `profiles:`.';
    return lock.map((_, i) => ({ at: at(i), message: 'lock: this pipeline has no profiles.', fix }));
  }
  const known = await listProfiles(paths.absolute(profiles.folder));
  return lock.flatMap((name, i) => {
    if (known.includes(name)) return [];
    const message = `lock: there is no profile "${name}": ${profiles.folder}/${name}.yaml does not exist.`;
    return [{ at: at(i), message, fix: () => suggestName(name, known) }];
  });
}
