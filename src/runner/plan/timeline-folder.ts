import { formatPlace, type Problem } from '../../schema/problems.ts';
import type { InactiveStage } from './graph-problems.ts';
import type { InstanceDraft } from './instances.ts';
import { describeLink, isInArtifacts, refuseOutput } from './output-paths.ts';
import { foldSpelling } from './path-conflicts.ts';
import { type PathRelation, relatePaths } from './path-trie.ts';
import type { PipelineFile } from './pipeline-file.ts';
import type { PathFault, ProjectPaths } from './project-paths.ts';
import type { PlacedPath } from './stage-paths.ts';

const advice = 'Give it a folder of its own below artifacts/, such as artifacts/timeline.';

/** Where the timeline goes, in the project's form, or what is wrong with it; neither if the pipeline names no place. */
interface TimelineFolder {
  readonly folder?: string;
  readonly problems: readonly Problem[];
}

/**
 * Reads `timeline:`. Its files differ after every run, so they may be neither in nor around anything that is hashed; and the runner replaces
 * and deletes outputs and resume folders, with everything in them.
 */
export function readTimelineFolder(
  { content, document }: Pick<PipelineFile, 'content' | 'document'>,
  paths: ProjectPaths,
  stages: {
    readonly drafts: readonly InstanceDraft[];
    readonly inactive: readonly InactiveStage[];
    /** Whether the disk takes names that differ only in case for one. */
    readonly ignoresCase: boolean;
  },
): TimelineFolder {
  const text = content.timeline;
  if (text === undefined) return { problems: [] };
  const at = document.positionOf(['timeline']);
  const refuse = (message: string, fix = advice): TimelineFolder => ({
    problems: [{ at, message: `timeline: ${message}`, fix }],
  });
  if (text.includes('${')) {
    return refuse(`${JSON.stringify(text)} contains a reference, and is the same for all profiles.`);
  }
  const checked = paths.check(text);
  if ('fault' in checked) {
    const { fault } = checked;
    if (fault.link !== undefined && isInArtifacts(fault.link.path)) {
      return { problems: [describeLink(fault.link)] };
    }
    return refuse(`${JSON.stringify(text)} ${fault.message}`, fixOf(fault));
  }
  const folder = checked.path;
  const refusal = refuseOutput(folder);
  if (refusal !== undefined) return refuse(`"${folder}" ${refusal}`);
  const link = paths.linkOn(folder);
  if (link !== undefined) return { problems: [describeLink(link)] };
  const clash = findClash(folder, stages);
  return clash === undefined ? { folder, problems: [] } : refuse(`"${folder}" ${clash}`);
}

/** "Write it as a relative path" does not help if the relative path is refused, too. */
function fixOf({ fix, inside, misplaced }: PathFault): string {
  if (inside !== undefined) return refuseOutput(inside) === undefined ? (fix ?? advice) : advice;
  return misplaced === true ? advice : (fix ?? advice);
}

/** The first path of a stage with which it conflicts (follows `timeline: "x" `), also of those that the profile leaves out. */
function findClash(
  folder: string,
  { drafts, inactive, ignoresCase }: Parameters<typeof readTimelineFolder>[2],
): string | undefined {
  const fold = (path: string): string => (ignoresCase ? foldSpelling(path) : path);
  const own = fold(folder);
  const describe = (relation: Exclude<PathRelation, 'apart'>, kind: string, path: string, stage: string) =>
    `${relationWords[relation]} ${kind} "${path}" of ${stage}.`;
  for (const { instance, inputs, outputs, resume } of drafts) {
    const kinds = { input: inputs, output: outputs, 'resume path': resume };
    for (const [kind, placed] of Object.entries(kinds)) {
      const found = findRelated(own, placed, fold);
      if (found === undefined) continue;
      const stage = `"${instance.id}" (${formatPlace(found.placed.at)})`;
      return describe(found.relation, kind, found.placed.path, stage);
    }
  }
  for (const { name, outputs } of inactive) {
    for (const path of outputs) {
      const relation = relatePaths(own, fold(path));
      if (relation !== 'apart')
        return describe(relation, 'output', path, `"${name}", which other profiles have`);
    }
  }
  return undefined;
}

const relationWords = { equal: 'is also', inside: 'lies inside', around: 'contains' } as const;

function findRelated(
  own: string,
  paths: readonly PlacedPath[],
  fold: (path: string) => string,
): { relation: Exclude<PathRelation, 'apart'>; placed: PlacedPath } | undefined {
  for (const placed of paths) {
    const relation = relatePaths(own, fold(placed.path));
    if (relation !== 'apart') return { relation, placed };
  }
  return undefined;
}
