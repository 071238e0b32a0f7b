import { formatPlace, type Problem } from '../../schema/problems.ts';
import type { InstanceDraft } from './instances.ts';
import { describeLink, isInArtifacts, refuseInput, refuseOutput } from './output-paths.ts';
import { PathTrie, relatePaths } from './path-trie.ts';
import type { ProjectPaths } from './project-paths.ts';
import type { PlacedPath } from './stage-paths.ts';
import { joinLines } from './stage-reader.ts';

interface OwnedPath {
  readonly draft: InstanceDraft;
  readonly placed: PlacedPath;
}

type Report = (kind: string, own: OwnedPath, other: PlacedPath, message: string, fix: Problem['fix']) => void;

/**
 * Outputs that conflict with each other, with places that may not be written to, or with what their own stage reads;
 * and resume folders inside anything that is hashed. One problem per pair of entries in the file.
 */
export function findPathConflicts(drafts: readonly InstanceDraft[], paths: ProjectPaths): Problem[] {
  const problems: Problem[] = [];
  const reported = new Set<string>();
  const report: Report = (kind, own, other, message, fix) => {
    const key = [kind, formatPlace(own.placed.at), formatPlace(other.at)].join(' ');
    if (reported.has(key)) return;
    reported.add(key);
    problems.push({ at: own.placed.at, message: `stage "${own.draft.instance.stage}": ${message}`, fix });
  };
  const written = listOwned(drafts, ({ outputs, resume }) => [...outputs, ...resume]);
  for (const { placed } of written) {
    const link = paths.linkOn(placed.path);
    if (link !== undefined && isInArtifacts(placed.path)) problems.push(describeLink(link));
  }
  const outputs = checkOutputs(drafts, report);
  const inputs = checkInputs(drafts, report);
  checkResumes(drafts, { outputs, inputs }, report);
  return problems;
}

function checkOutputs(drafts: readonly InstanceDraft[], report: Report): PathTrie<OwnedPath> {
  const outputs = new PathTrie<OwnedPath>();
  for (const own of listOwned(drafts, ({ outputs }) => outputs)) {
    const { placed } = own;
    const refusal = refuseOutput(placed.path);
    if (refusal !== undefined) {
      report('protected', own, placed, `output "${placed.path}" ${refusal}`, () => placed.remedy());
    }
    const [other] = outputs.related(placed.path);
    if (other !== undefined) report('output', own, other.placed, ...describeClash(own, other));
    outputs.add(placed.path, own);
    reportOwnInput(own, report);
  }
  return outputs;
}

function checkInputs(drafts: readonly InstanceDraft[], report: Report): PathTrie<OwnedPath> {
  const inputs = new PathTrie<OwnedPath>();
  for (const own of listOwned(drafts, ({ inputs }) => inputs)) {
    const { placed } = own;
    const refusal = refuseInput(placed.path);
    if (refusal !== undefined) {
      report('protected', own, placed, `input "${placed.path}" ${refusal}`, () => placed.origin());
    }
    inputs.add(placed.path, own);
  }
  return inputs;
}

function checkResumes(
  drafts: readonly InstanceDraft[],
  { outputs, inputs }: { readonly outputs: PathTrie<OwnedPath>; readonly inputs: PathTrie<OwnedPath> },
  report: Report,
): void {
  const resumes = new PathTrie<OwnedPath>();
  for (const own of listOwned(drafts, ({ resume }) => resume)) {
    const { draft, placed } = own;
    const name = `resume path "${placed.path}"`;
    const refusal = refuseOutput(placed.path);
    if (refusal !== undefined) {
      report('protected', own, placed, `${name} ${refusal}`, () => placed.remedy());
    }
    const [output] = outputs.related(placed.path);
    if (output !== undefined) {
      const whose = `output "${output.placed.path}" of "${output.draft.instance.id}"`;
      const fix = `Put it beside the output, as in "${output.placed.path}.resume".`;
      report('resume', own, output.placed, `${name} ${describeRelation(own, output)} ${whose}.`, fix);
    }
    const [twin] = resumes.related(placed.path);
    if (twin !== undefined) {
      const whose = `that of "${twin.draft.instance.id}"`;
      const fix = 'Every instance needs its own: put a matrix variable in the path.';
      report('twin', own, twin.placed, `${name} ${describeRelation(own, twin)} ${whose}.`, fix);
    }
    resumes.add(placed.path, own);
    for (const input of inputs.related(placed.path)) {
      // An input may be a folder that contains outputs and resume folders, but not something that changes while it is hashed.
      if (relatePaths(placed.path, input.placed.path) === 'inside' && input.draft !== draft) continue;
      const whose = `input "${input.placed.path}" of "${input.draft.instance.id}"`;
      const fix = 'A stage cannot read a folder that comes and goes during a run.';
      report('resume-input', own, input.placed, `${name} ${describeRelation(own, input)} ${whose}.`, fix);
      break;
    }
  }
}

function listOwned(
  drafts: readonly InstanceDraft[],
  pathsOf: (draft: InstanceDraft) => readonly PlacedPath[],
): OwnedPath[] {
  return drafts.flatMap((draft) => pathsOf(draft).map((placed) => ({ draft, placed })));
}

function reportOwnInput(own: OwnedPath, report: Report): void {
  for (const input of own.draft.inputs) {
    if (relatePaths(own.placed.path, input.path) === 'apart') continue;
    const relation = describeRelation(own, { draft: own.draft, placed: input });
    report(
      'input',
      own,
      input,
      `output "${own.placed.path}" ${relation} its own input "${input.path}".`,
      () => joinLines('A stage that changes its own input would never be up to date.', own.placed.origin()),
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
    `Give "${id}" its own path: two stages would delete each other's work.`,
  ];
}

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
      return 'contains';
  }
}

interface WrittenPath {
  readonly id: string;
  readonly kind: 'output' | 'resume path';
  readonly placed: PlacedPath;
}

/**
 * Paths that name the same file only where the file system ignores case or how accents are composed, as on most disks of macOS and Windows:
 * there, two outputs would overwrite each other, a stage would not wait for the one whose output it spells otherwise, and one that changes
 * its own input would never be up to date.
 */
export function findSpellingConflicts(drafts: readonly InstanceDraft[]): Problem[] {
  const problems: Problem[] = [];
  const written = new PathTrie<WrittenPath>();
  const check = (
    id: string,
    stage: string,
    kind: WrittenPath['kind'] | 'input',
    placed: PlacedPath,
  ): void => {
    for (const other of written.related(foldSpelling(placed.path))) {
      if (other.placed === placed || relatePaths(placed.path, other.placed.path) !== 'apart') continue;
      const isOwn = id === other.id;
      const whose = `${other.kind} "${other.placed.path}" of ${isOwn ? 'its own' : `"${other.id}"`}`;
      problems.push({
        at: placed.at,
        message: `stage "${stage}": ${kind} "${placed.path}" and ${whose} (${formatPlace(other.placed.at)}) differ only in spelling; this disk treats them as one path.`,
        fix: fixOfSpelling(kind, placed, other, isOwn),
      });
      return;
    }
  };
  for (const { instance, outputs, resume } of drafts) {
    for (const placed of [...outputs, ...resume]) {
      const kind = outputs.includes(placed) ? 'output' : 'resume path';
      check(instance.id, instance.stage, kind, placed);
      written.add(foldSpelling(placed.path), { id: instance.id, kind, placed });
    }
  }
  for (const { instance, inputs } of drafts) {
    for (const placed of inputs) check(instance.id, instance.stage, 'input', placed);
  }
  return problems;
}

function fixOfSpelling(kind: string, input: PlacedPath, other: WrittenPath, isOwn: boolean): string {
  if (kind !== 'input') {
    return `Give each its own name: ${isOwn ? 'one would replace the other' : 'two stages would delete each other’s work'}.`;
  }
  // An input may be a folder that contains resume folders of other stages.
  const isInside = relatePaths(foldSpelling(other.placed.path), foldSpelling(input.path)) === 'inside';
  if (other.kind === 'resume path' && (isOwn || !isInside)) {
    return 'A stage cannot read a folder that comes and goes during a run.';
  }
  return isOwn ? 'A stage that changes its own input would never be up to date.' : 'Spell both the same.';
}

/**
 * The same for all spellings that such a disk takes for one. In small letters alone, letters with more than one small form stay apart: σ and ς,
 * s and ſ.
 */
export function foldSpelling(path: string): string {
  return path.normalize('NFC').toUpperCase().toLowerCase().normalize('NFC');
}
