import { formatPlace, type Problem } from '../../schema/problems.ts';
import type { InstanceDraft } from './instances.ts';
import { PathTrie, relatePaths } from './path-trie.ts';
import type { PlacedPath } from './stage-paths.ts';

interface OwnedPath {
  readonly draft: InstanceDraft;
  readonly kind: 'output' | 'resume path';
  readonly placed: PlacedPath;
}

/**
 * Outputs and resume folders that conflict with each other, or with what their own stage reads. One problem per pair of entries in the file.
 */
export function findPathConflicts(drafts: readonly InstanceDraft[]): Problem[] {
  const problems = new Map<string, Problem>();
  const report = (
    { draft, kind, placed }: OwnedPath,
    other: PlacedPath,
    message: string,
    fix: string,
  ): void => {
    const pair = [placed.at, other.at].map(formatPlace).join(' ');
    if (problems.has(pair)) return;
    const { stage } = draft.instance;
    problems.set(pair, {
      at: placed.at,
      message: `stage "${stage}": ${kind} "${placed.path}" ${message}`,
      fix,
    });
  };
  const known = new PathTrie<OwnedPath>();
  for (const own of drafts.flatMap(listOwned)) {
    const { path } = own.placed;
    const [other] = known.related(path);
    if (other !== undefined) report(own, other.placed, describeClash(own, other), adviseClash(own, other));
    known.add(path, own);
    for (const input of own.draft.inputs) {
      if (relatePaths(path, input.path) === 'apart') continue;
      const message = `${describeRelation(path, input.path)} its own input "${input.path}".`;
      report(own, input, message, 'A stage that changes its own input would never be up to date.');
    }
  }
  return [...problems.values()];
}

function listOwned(draft: InstanceDraft): OwnedPath[] {
  return [
    ...draft.outputs.map((placed) => ({ draft, kind: 'output', placed }) as const),
    ...draft.resume.map((placed) => ({ draft, kind: 'resume path', placed }) as const),
  ];
}

function describeClash({ placed }: OwnedPath, { draft, kind, placed: other }: OwnedPath): string {
  const isSame = placed.path === other.path;
  const what = isSame
    ? `is also the ${kind}`
    : `${describeRelation(placed.path, other.path)} ${kind} "${other.path}"`;
  return `${what} of "${draft.instance.id}" (${formatPlace(other.at)}).`;
}

function adviseClash(own: OwnedPath, other: OwnedPath): string {
  const [a, b] = [own.draft.instance.matrix, other.draft.instance.matrix];
  const isSameEntry = formatPlace(own.placed.at) === formatPlace(other.placed.at);
  const differing = isSameEntry ? Object.keys(a).filter((variable) => a[variable] !== b[variable]) : [];
  if (differing.length === 0) return "Give each its own path: otherwise one would delete the other's work.";
  return `Add ${differing.map((variable) => `\${${variable}}`).join(' or ')} to the path.`;
}

function describeRelation(path: string, other: string): string {
  const relation = relatePaths(path, other);
  return relation === 'equal' ? 'is also' : relation === 'inside' ? 'lies inside' : 'contains';
}
