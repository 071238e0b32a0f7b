import type { Problem } from '../../schema/problems.ts';
import type { PipelineFile } from './pipeline-file.ts';
import type { ProjectPaths } from './project-paths.ts';

/** Names under `lock:` that are no profile: a typo would leave a profile's records as they are, silently. */
export function findUnknownLocks({ content, document }: PipelineFile, paths: ProjectPaths): Problem[] {
  const { lock = [], profiles } = content;
  return lock.flatMap((name, i) => {
    const file = profiles === undefined ? null : `${profiles.folder}/${name}.yaml`;
    if (file !== null && paths.kindOf(file) === 'file') return [];
    const message =
      file === null
        ? 'lock: this pipeline has no profiles.'
        : `lock: there is no profile "${name}": ${file} does not exist.`;
    return [{ at: document.positionOf(['lock', i]), message }];
  });
}
