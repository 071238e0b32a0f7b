import { formatPlace, type Problem } from '../../schema/problems.ts';
import type { InstanceDraft } from './instances.ts';
import { describeLink, isInArtifacts, refuseInput, refuseOutput } from './output-paths.ts';
import { PathTrie, relatePaths } from './path-trie.ts';
import type { ProjectPaths } from './project-paths.ts';
import type { PlacedPath } from './stage-paths.ts';
import { joinLines } from './stage-reader.ts';

interface OwnedPath {
  readonly draft: InstanceDraft;
  readonly kind: 'input' | 'output' | 'resume path';
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
  const all = listOwned(drafts);
  const [inputs, outputs, resumes] = [
    new PathTrie<OwnedPath>(),
    new PathTrie<OwnedPath>(),
    new PathTrie<OwnedPath>(),
  ];
  for (const own of all) {
    const { kind, placed } = own;
    const { path } = placed;
    const link = kind === 'input' ? undefined : paths.linkOn(path);
    if (link !== undefined && isInArtifacts(path)) problems.push(describeLink(link));
    const refusal = kind === 'input' ? refuseInput(path) : refuseOutput(path);
    if (refusal !== undefined) {
      const fix = () => (kind === 'input' ? placed.origin() : placed.remedy());
      report('protected', own, placed, `${kind} "${path}" ${refusal}`, fix);
    }
    if (kind === 'input') inputs.add(path, own);
    if (kind !== 'output') continue;
    const [other] = outputs.related(path);
    if (other !== undefined) report('output', own, other.placed, ...describeClash(own, other));
    outputs.add(path, own);
    for (const input of own.draft.inputs) {
      if (relatePaths(path, input.path) === 'apart') continue;
      const message = `output "${path}" ${describeRelation(placed, input)} its own input "${input.path}".`;
      report('input', own, input, message, () => joinLines(ownInputAdvice, placed.origin()));
    }
  }
  for (const own of all)
    if (own.kind === 'resume path') checkResume(own, { inputs, outputs, resumes }, report);
  return problems;
}

const ownInputAdvice = 'A stage that changes its own input would never be up to date.';

function listOwned(drafts: readonly InstanceDraft[]): OwnedPath[] {
  return drafts.flatMap((draft) => [
    ...draft.outputs.map((placed) => ({ draft, kind: 'output', placed }) as const),
    ...draft.resume.map((placed) => ({ draft, kind: 'resume path', placed }) as const),
    ...draft.inputs.map((placed) => ({ draft, kind: 'input', placed }) as const),
  ]);
}

function checkResume(
  own: OwnedPath,
  others: Readonly<Record<'inputs' | 'outputs' | 'resumes', PathTrie<OwnedPath>>>,
  report: Report,
): void {
  const { draft, placed } = own;
  const clash = (kind: string, other: OwnedPath | undefined, whose: string, fix: string): void => {
    if (other === undefined) return;
    const relation = describeRelation(placed, other.placed);
    const message = `resume path "${placed.path}" ${relation} ${whose} "${other.draft.instance.id}".`;
    report(kind, own, other.placed, message, fix);
  };
  const [output] = others.outputs.related(placed.path);
  const path = output?.placed.path;
  clash('resume', output, `output "${path}" of`, `Put it beside the output, as in "${path}.resume".`);
  const [twin] = others.resumes.related(placed.path);
  clash('twin', twin, 'that of', 'Every instance needs its own: put a matrix variable in the path.');
  others.resumes.add(placed.path, own);
  // An input may be a folder that contains outputs and resume folders, but not something that changes while it is hashed.
  const input = others.inputs
    .related(placed.path)
    .find((one) => one.draft === draft || relatePaths(placed.path, one.placed.path) !== 'inside');
  const fix = 'A stage cannot read a folder that comes and goes during a run.';
  clash('resume-input', input, `input "${input?.placed.path}" of`, fix);
}

function describeClash(own: OwnedPath, other: OwnedPath): [message: string, fix: Problem['fix']] {
  const [{ id, stage, matrix }, another] = [own.draft.instance, other.draft.instance];
  const { path } = own.placed;
  const place = formatPlace(other.placed.at);
  const relation = describeRelation(own.placed, other.placed);
  if (stage === another.stage && formatPlace(own.placed.at) === place) {
    const differing = Object.keys(matrix).filter((variable) => matrix[variable] !== another.matrix[variable]);
    return [
      `output "${path}" of "${id}" ${relation} that of "${another.id}".`,
      `Add ${differing.map((variable) => `\${${variable}}`).join(' or ')} to the path.`,
    ];
  }
  const what =
    relation === 'is also'
      ? `is already made by "${another.id}"`
      : `${relation} output "${other.placed.path}" of "${another.id}"`;
  return [
    `output "${path}" ${what} (${place}).`,
    `Give "${id}" its own path: two stages would delete each other's work.`,
  ];
}

function describeRelation({ path }: PlacedPath, other: PlacedPath): string {
  const relation = relatePaths(path, other.path);
  return relation === 'equal' ? 'is also' : relation === 'inside' ? 'lies inside' : 'contains';
}

/**
 * Paths that name the same file only where the file system ignores case or how accents are composed, as on most disks of macOS and Windows:
 * there, two outputs would overwrite each other, and a stage would not wait for the one whose output it spells otherwise.
 */
export function findSpellingConflicts(drafts: readonly InstanceDraft[]): Problem[] {
  const written = new PathTrie<OwnedPath>();
  const owned = listOwned(drafts);
  const findOther = ({ placed }: OwnedPath): OwnedPath | undefined =>
    written
      .related(foldSpelling(placed.path))
      .find((one) => one.placed !== placed && relatePaths(placed.path, one.placed.path) === 'apart');
  const problems: Problem[] = [];
  const check = (own: OwnedPath): void => {
    const { draft, kind, placed } = own;
    const other = findOther(own);
    if (other === undefined) return;
    const whose = other.draft === draft ? 'its own' : `"${other.draft.instance.id}"`;
    problems.push({
      at: placed.at,
      message: `stage "${draft.instance.stage}": ${kind} "${placed.path}" and ${other.kind} "${other.placed.path}" of ${whose} (${formatPlace(other.placed.at)}) differ only in spelling; this disk treats them as one path.`,
      fix: 'Spell both the same, or give each its own name.',
    });
  };
  for (const own of owned) {
    if (own.kind === 'input') continue;
    check(own);
    written.add(foldSpelling(own.placed.path), own);
  }
  for (const own of owned) if (own.kind === 'input') check(own);
  return problems;
}

/**
 * The same for all spellings that such a disk takes for one. In small letters alone, letters with more than one small form stay apart: σ and ς,
 * s and ſ.
 */
export function foldSpelling(path: string): string {
  return path.normalize('NFC').toUpperCase().toLowerCase().normalize('NFC');
}
