import type { Problem } from '../../schema/problems.ts';
import { formatPlace } from '../../schema/source-position.ts';
import type { InstanceDraft } from './instances.ts';
import { PathTrie, relatePaths } from './path-trie.ts';
import type { ProtectedPaths } from './protected-paths.ts';
import { joinLines, type PlacedPath } from './stage-reader.ts';

interface OwnedPath {
  readonly draft: InstanceDraft;
  readonly placed: PlacedPath;
}

/**
 * Outputs that are in each other's way, in the way of the project's sources, or of what their own stage reads;
 * and resume folders inside anything that is hashed. One problem for each pair of entries in the file.
 */
export function findPathConflicts(drafts: readonly InstanceDraft[], kept: ProtectedPaths): Problem[] {
  const problems: Problem[] = [];
  const said = new Set<string>();
  const report = (
    kind: string,
    own: OwnedPath,
    other: PlacedPath,
    message: string,
    fix: Problem['fix'],
  ): void => {
    const key = [kind, formatPlace(own.placed.at), formatPlace(other.at)].join(' ');
    if (said.has(key)) return;
    said.add(key);
    problems.push({ at: own.placed.at, message: `stage "${own.draft.instance.stage}": ${message}`, fix });
  };

  const outputs = new PathTrie<OwnedPath>();
  for (const draft of drafts) {
    for (const placed of draft.outputs) {
      const own = { draft, placed };
      const refusal = kept.refuse(placed.path);
      if (refusal !== undefined) {
        report('protected', own, placed, `output "${placed.path}" ${refusal}`, () =>
          joinLines('Outputs belong below artifacts/.', placed.origin()),
        );
      }
      const [other] = outputs.related(placed.path);
      if (other !== undefined) report('output', own, other.placed, ...describeClash(own, other));
      outputs.add(placed.path, own);
      reportOwnInput(own, report);
    }
  }

  const inputs = new PathTrie<OwnedPath>();
  for (const draft of drafts) {
    for (const placed of draft.inputs) {
      const own = { draft, placed };
      const refusal = kept.refuseInput(placed.path);
      if (refusal !== undefined) {
        report('protected', own, placed, `input "${placed.path}" ${refusal}`, placed.origin);
      }
      inputs.add(placed.path, own);
    }
  }
  const resumes = new PathTrie<OwnedPath>();
  for (const draft of drafts) {
    for (const placed of draft.resume) {
      const own = { draft, placed };
      const refusal = kept.refuse(placed.path);
      if (refusal !== undefined) {
        report(
          'protected',
          own,
          placed,
          `resume path "${placed.path}" ${refusal}`,
          'It belongs below artifacts/.',
        );
      }
      const [output] = outputs.related(placed.path);
      if (output !== undefined) {
        report(
          'resume',
          own,
          output.placed,
          `resume path "${placed.path}" ${describeRelation(own, output)} output "${output.placed.path}" of "${output.draft.instance.id}".`,
          `Put it beside the output, as in "${output.placed.path}.resume".`,
        );
      }
      const [twin] = resumes.related(placed.path);
      if (twin !== undefined) {
        report(
          'twin',
          own,
          twin.placed,
          `resume path "${placed.path}" ${describeRelation(own, twin)} that of "${twin.draft.instance.id}".`,
          'Every instance needs its own: a matrix variable in the path keeps them apart.',
        );
      }
      resumes.add(placed.path, own);
      for (const input of inputs.related(placed.path)) {
        // A reader may look at the folder in which outputs and resume folders lie; not at what changes while it is hashed.
        if (relatePaths(placed.path, input.placed.path) === 'inside' && input.draft !== draft) continue;
        report(
          'resume-input',
          own,
          input.placed,
          `resume path "${placed.path}" ${describeRelation(own, input)} input "${input.placed.path}" of "${input.draft.instance.id}".`,
          'Nothing can read what comes and goes during a run.',
        );
        break;
      }
    }
  }
  return problems;
}

function reportOwnInput(
  own: OwnedPath,
  report: (kind: string, own: OwnedPath, other: PlacedPath, message: string, fix: Problem['fix']) => void,
): void {
  for (const input of own.draft.inputs) {
    if (relatePaths(own.placed.path, input.path) === 'apart') continue;
    const relation = describeRelation(own, { draft: own.draft, placed: input });
    report(
      'input',
      own,
      input,
      `output "${own.placed.path}" ${relation} its own input "${input.path}".`,
      () =>
        joinLines('A stage cannot change what it reads: it would never be up to date.', own.placed.origin()),
    );
  }
}

function describeClash(own: OwnedPath, other: OwnedPath): [message: string, fix: Problem['fix']] {
  const { path } = own.placed;
  const [id, otherId] = [own.draft.instance.id, other.draft.instance.id];
  const place = formatPlace(other.placed.at);
  if (own.draft.instance.stage === other.draft.instance.stage && formatPlace(own.placed.at) === place) {
    return sameEntry(own, other);
  }
  const relation = describeRelation(own, other);
  const what =
    relation === 'is also'
      ? `is already made by "${otherId}"`
      : `${relation} output "${other.placed.path}" of "${otherId}"`;
  return [
    `output "${path}" ${what} (${place}).`,
    `Give "${id}" a path of its own: two stages would delete each other's work.`,
  ];
}

/** Two instances of a matrix whose paths do not name the variable that tells them apart. */
function sameEntry(own: OwnedPath, other: OwnedPath): [message: string, fix: Problem['fix']] {
  const [id, otherId] = [own.draft.instance.id, other.draft.instance.id];
  const differing = Object.keys(own.draft.instance.matrix).filter(
    (variable) => own.draft.instance.matrix[variable] !== other.draft.instance.matrix[variable],
  );
  return [
    `output "${own.placed.path}" of "${id}" ${describeRelation(own, other)} that of "${otherId}".`,
    `Add ${differing.map((variable) => `\${${variable}}`).join(' or ')} to the path.`,
  ];
}

function describeRelation(own: OwnedPath, other: OwnedPath): string {
  switch (relatePaths(own.placed.path, other.placed.path)) {
    case 'equal':
      return 'is also';
    case 'inside':
      return 'lies inside';
    default:
      return 'holds';
  }
}
