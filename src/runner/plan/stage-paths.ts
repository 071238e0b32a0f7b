import { quoteWord } from '../../base/files/shell-words.ts';
import { isJsonList, type JsonPath } from '../../base/schema/json.ts';
import { formatPlace, type Problem, type SourcePosition } from '../../base/schema/problems.ts';
import type { InputEntry } from './pipeline-file.ts';
import type { StageInstance } from './plan.ts';
import { parseTemplate, type Reference } from './profile-settings.ts';
import { type PathFault, type PathLink, PathTrie, relatePaths } from './project-paths.ts';
import { type Combination, joinLines, type StageReader } from './stage-reader.ts';

interface PathSource {
  readonly reader: StageReader;
  readonly text: string;
  readonly written: JsonPath;
  readonly combination: Combination;
}

/**
 * A path of one instance, with what messages need to say about it. That is worked out when it is asked for: there may be tens of thousands
 * of paths, and few of them are wrong.
 */
class PlacedPath {
  readonly path: string;
  readonly external: boolean;
  readonly name: string | undefined;
  readonly #source: PathSource;

  constructor(path: string, external: boolean, name: string | undefined, source: PathSource) {
    this.path = path;
    this.external = external;
    this.name = name;
    this.#source = source;
  }

  get at(): SourcePosition {
    return this.#source.reader.at(this.#source.written);
  }

  /** The values behind the references of the path: `${model} is "basline" (quick.yaml:25:10).` */
  origin(): string | undefined {
    const { reader, text, combination } = this.#source;
    return reader.describeOrigin(text, combination);
  }
}

type PathRole = 'input' | 'output' | 'resume path' | 'module';

export function readPath(
  reader: StageReader,
  role: PathRole,
  text: string,
  written: JsonPath,
  combination: Combination,
  { external = false, name }: { readonly external?: boolean; readonly name?: string | undefined } = {},
): PlacedPath | undefined {
  const expanded = reader.expandToText(text, written, combination);
  if (expanded === undefined) return undefined;
  const { paths, problems } = reader.context;
  const isOwned = role === 'output' || role === 'resume path';
  const source = { reader, text, written, combination };
  const checked = paths.check(expanded, { external });
  const link = 'fault' in checked ? checked.fault.link : isOwned ? paths.linkOn(checked.path) : undefined;
  if (link !== undefined && isAtOrInside(link.path, writable)) {
    problems.push(describeLink(link));
    return undefined;
  }
  const fault: PathFault | undefined =
    'fault' in checked ? checked.fault : refusePlace(checked.path, isOwned);
  const placed = new PlacedPath('path' in checked ? checked.path : expanded, external, name, source);
  if (fault === undefined) return placed;
  reader.report(placed.at, `${role} ${JSON.stringify(expanded)} ${fault.message}`, () =>
    joinLines(
      fault.fix ?? (isOwned ? ownedAdvice : role === 'input' && fault.leaves ? externalAdvice : undefined),
      placed.origin(),
      isOwned ? adviseProfile(source) : undefined,
    ),
  );
  return undefined;
}

/**
 * The one folder that the runner writes to. It replaces and deletes outputs and resume folders, so anywhere else one
 * mistyped path, or one `--set` naming someone's recordings, would destroy their work.
 */
const writable = 'artifacts';

/** The runner's store, records and logs; and the page of the folder, which is committed. */
const reserved = ['.cache', 'README.md'].map((name) => `${writable}/${name}`);

const ownedAdvice = `The runner replaces and deletes what stages write, so it must be below ${writable}/.`;
const externalAdvice = 'Declare data outside the project as { path: …, external: true }.';

function refusePlace(path: string, isOwned: boolean): PathFault | undefined {
  if (isOwned && relatePaths(path, writable) !== 'inside') return { message: `is not below ${writable}/.` };
  const taken = reserved.find((one) => relatePaths(path, one) !== 'apart');
  return taken === undefined
    ? undefined
    : { message: `is in or around "${taken}", which is not for stages.` };
}

/** A link at or below artifacts/, in the way of what stages write there: the same problem for every stage that it concerns. */
function describeLink({ path, target }: PathLink): Problem {
  const mount = `To keep ${writable}/ on another disk, mount a folder of it there:
mkdir ${writable} && sudo mount --bind ${quoteWord(target)} ${writable}`;
  return {
    at: path,
    message: `is a symbolic link to "${target}", and the runner replaces and deletes what is there.`,
    fix: joinLines(
      `Remove the link, which leaves what it leads to alone: rm ${quoteWord(path)}`,
      path === writable ? mount : undefined,
    ),
  };
}

function isAtOrInside(path: string, folder: string): boolean {
  return ['equal', 'inside'].includes(relatePaths(path, folder));
}

/**
 * What to do if a profile value would make a stage overwrite other data, or undefined. A stage that some profiles leave
 * out (`when:`) makes what those profiles only read, so a user who names their own data wants one of those.
 */
function adviseProfile({ reader, text, combination }: PathSource): string | undefined {
  const { name, entry, context } = reader;
  const isSetByProfile = listReferences(text).some(({ path }) => !combination.has(path[0] ?? ''));
  if (typeof entry.when !== 'string' || !isSetByProfile) return undefined;
  return `Profile "${context.settings.profile}" makes this data itself, in stage "${name}". To use your own data, pick a profile that only reads it: --profile NAME.`;
}

/**
 * The inputs of one instance, without those its profile leaves out; undefined stands for one that is wrong and was reported. A path with a
 * reference to a list stands for one path for each of its entries.
 */
export function readInputs(reader: StageReader, combination: Combination): (PlacedPath | undefined)[] {
  const { inputs = [] } = reader.entry;
  const isMap = !isJsonList(inputs);
  return Object.entries(inputs).flatMap(([key, input]: [string, InputEntry]): (PlacedPath | undefined)[] => {
    const step = isMap ? key : Number(key);
    const [text, at]: [string, JsonPath] =
      typeof input === 'string' ? [input, ['inputs', step]] : [input.path, ['inputs', step, 'path']];
    if (isOptional(input) && isLeftOut(reader, text)) return [];
    const external = typeof input === 'object' && input.external === true;
    return combineLists(reader, text, combination).map((one) =>
      readPath(reader, 'input', text, at, one, { external, name: isMap ? key : undefined }),
    );
  });
}

function combineLists(reader: StageReader, text: string, combination: Combination): Combination[] {
  if (!text.includes('${')) return [combination];
  const { settings } = reader.context;
  let combinations = [combination];
  for (const { path } of listReferences(text)) {
    const name = path.join('.');
    const list = combination.has(name) ? undefined : settings.lookUp(path);
    if (!isJsonList(list)) continue;
    const values = list.filter((value) => typeof value !== 'object');
    // A mapping cannot be part of a path: the list stays as it is, and is refused.
    if (values.length < list.length) continue;
    combinations = combinations.flatMap((one) =>
      values.map((value, index) =>
        new Map(one).set(name, { value, place: settings.place([...path, index]) }),
      ),
    );
  }
  return combinations;
}

/** Reports optional inputs in a list: one that is left out would move the others. */
export function checkOptionalInputs(reader: StageReader): void {
  const { inputs = [] } = reader.entry;
  if (!isJsonList(inputs)) return;
  for (const [index, input] of inputs.entries()) {
    if (!isOptional(input)) continue;
    reader.report(
      reader.at(['inputs', index]),
      `inputs[${index}] is optional, so the inputs need names.`,
      'Write a map: inputs: { data: artifacts/data, notes: { path: …, optional: true } }.',
    );
  }
}

function isOptional(input: InputEntry): input is Exclude<InputEntry, string> {
  return typeof input === 'object' && input.optional === true;
}

/** Whether the profile leaves out a key named by the path, or sets it to null. */
function isLeftOut(reader: StageReader, text: string): boolean {
  const { settings } = reader.context;
  return listReferences(text).some(({ path }) => settings.isLeftOut(path) || settings.lookUp(path) === null);
}

function listReferences(text: string): Reference[] {
  const parsed = parseTemplate(text);
  return 'fault' in parsed ? [] : parsed.template.filter((part) => typeof part === 'object');
}

/** An instance with the places of its paths, for checks across all of them. */
export interface InstanceDraft {
  readonly instance: StageInstance;
  readonly inputs: readonly PlacedPath[];
  readonly outputs: readonly PlacedPath[];
  readonly resume: readonly PlacedPath[];
}

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
