import { formatPlace, type Problem } from '../../schema/problems.ts';
import type { InactiveStage } from './graph-problems.ts';
import type { InstanceDraft } from './instances.ts';
import { describeLink } from './output-paths.ts';
import { foldSpelling } from './path-conflicts.ts';
import { relatePaths } from './path-trie.ts';
import type { PipelineFile } from './pipeline-file.ts';
import type { ProjectPaths } from './project-paths.ts';

const folder = 'artifacts/timeline';

/**
 * Finds what is in the way of the timeline. Its files differ after every run, so nothing that is hashed may be in or around their folder; and the
 * runner replaces and deletes outputs and resume folders, with everything in them.
 */
export function findTimelineProblems(
  { content, document }: Pick<PipelineFile, 'content' | 'document'>,
  paths: ProjectPaths,
  stages: {
    readonly drafts: readonly InstanceDraft[];
    readonly inactive: readonly InactiveStage[];
    readonly ignoresCase: boolean;
  },
): Problem[] {
  if (content.timeline === undefined) return [];
  const link = paths.linkOn(folder);
  if (link !== undefined) return [describeLink(link)];
  const isNear = (path: string): boolean =>
    relatePaths(folder, stages.ignoresCase ? foldSpelling(path) : path) !== 'apart';
  const active = stages.drafts.flatMap(({ instance, inputs, outputs, resume }) =>
    [...inputs, ...outputs, ...resume].map(({ path, at }) => ({
      path,
      stage: `"${instance.id}" (${formatPlace(at)})`,
    })),
  );
  const inactive = stages.inactive.flatMap(({ name, outputs }) =>
    outputs.map((path) => ({ path, stage: `"${name}", which other profiles have` })),
  );
  const found = [...active, ...inactive].find(({ path }) => isNear(path));
  if (found === undefined) return [];
  return [
    {
      at: document.positionOf(['timeline']),
      message: `timeline: "${folder}" must be a folder of its own, but "${found.path}" is a path of ${found.stage}.`,
      fix: 'Choose another path for that stage, or leave out `timeline:`.',
    },
  ];
}
