import { isJsonList, type JsonPath } from '../../schema/json.ts';
import type { Problem, SourcePosition } from '../../schema/problems.ts';
import type { Combination } from './matrix.ts';
import { describeLink, isInArtifacts, refuseOutput } from './output-paths.ts';
import type { InputEntry } from './pipeline-file.ts';
import type { PathFault } from './project-paths.ts';
import { parseTemplate, type Reference } from './references.ts';
import { joinLines, type StageReader } from './stage-reader.ts';

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
export class PlacedPath {
  readonly path: string;
  readonly external: boolean;
  readonly #source: PathSource;

  constructor(path: string, external: boolean, source: PathSource) {
    this.path = path;
    this.external = external;
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

  /** What to do if the path may not be written to: the lines below a message that rejects an output. */
  remedy(): string | undefined {
    return joinLines(
      'The runner replaces and deletes what stages write, so it must be below artifacts/.',
      this.origin(),
      adviseProfile(this.#source),
    );
  }
}

type PathRole = 'input' | 'output' | 'resume path' | 'module';

export function readPath(
  reader: StageReader,
  role: PathRole,
  text: string,
  written: JsonPath,
  combination: Combination,
  { external = false }: { readonly external?: boolean } = {},
): PlacedPath | undefined {
  const expanded = reader.expandToText(text, written, combination);
  if (expanded === undefined) return undefined;
  const { paths, problems, tolerated } = reader.context;
  const place = (path: string): PlacedPath =>
    new PlacedPath(path, external, { reader, text, written, combination });
  const checked = paths.check(expanded, { external });
  if ('path' in checked) return place(checked.path);
  const { fault } = checked;
  const problem = describeFault(reader, role, fault, { expanded, placed: place(expanded) });
  if (tolerated !== undefined && isAboutWriting(role, fault)) {
    const anywhere = paths.check(expanded, { external: true });
    if ('path' in anywhere) {
      tolerated.push(problem);
      return place(anywhere.path);
    }
  }
  problems.push(problem);
  return undefined;
}

/** Whether it is a path that can be read, but that nothing may be written to. */
function isAboutWriting(role: PathRole, { link, misplaced }: PathFault): boolean {
  const isOwned = role === 'output' || role === 'resume path';
  return (isOwned && misplaced === true) || (link !== undefined && isInArtifacts(link.path));
}

function describeFault(
  reader: StageReader,
  role: PathRole,
  fault: PathFault,
  { expanded, placed }: { readonly expanded: string; readonly placed: PlacedPath },
): Problem {
  const { link, misplaced, inside, leaves } = fault;
  if (link !== undefined && isInArtifacts(link.path)) return describeLink(link);
  const describe = (message: string, fix: Problem['fix']): Problem => ({
    at: placed.at,
    message: `stage "${reader.name}": ${role} ${JSON.stringify(expanded)} ${message}`,
    fix,
  });
  if (misplaced === true && (role === 'output' || role === 'resume path')) {
    // "Write it as a relative path" does not help if the relative path is rejected too.
    const refusal = inside === undefined ? undefined : refuseOutput(inside);
    const isAbsoluteOnly = inside !== undefined && refusal === undefined;
    return describe(refusal ?? fault.message, isAbsoluteOnly ? fault.fix : () => placed.remedy());
  }
  const isOutside = role === 'input' && leaves === true;
  const advice = isOutside ? 'Declare data outside the project as { path: …, external: true }.' : fault.fix;
  return describe(fault.message, () => joinLines(advice, placed.origin()));
}

/**
 * What to do if a profile value would make a stage overwrite other data, or undefined. A stage that some profiles leave
 * out (`when:`) makes what those profiles only read, so a user who names their own data wants one of those.
 */
function adviseProfile({ reader, text, combination }: PathSource): string | undefined {
  const { name, entry, context } = reader;
  const isSetByProfile = listReferences(text).some(({ path }) => !combination.has(path[0] ?? ''));
  if (typeof entry.when !== 'string' || !isSetByProfile) return undefined;
  const { profile, otherProfiles } = context.settings;
  const others = otherProfiles.map((one) => `--profile ${one}`);
  const choice = new Intl.ListFormat('en', { type: 'disjunction' }).format(others);
  const hint = choice === '' ? '' : `: ${choice}`;
  return `Profile "${profile}" makes this data itself, in stage "${name}". To use your own data, pick a profile that only reads it${hint}.`;
}

/**
 * The inputs of one instance, without those its profile leaves out; undefined stands for one that is wrong and was reported. A path with a
 * reference to a list stands for one path for each of its entries.
 */
export function readInputs(reader: StageReader, combination: Combination): (PlacedPath | undefined)[] {
  return (reader.entry.inputs ?? []).flatMap((input, index): (PlacedPath | undefined)[] => {
    const [text, at]: [string, JsonPath] =
      typeof input === 'string' ? [input, ['inputs', index]] : [input.path, ['inputs', index, 'path']];
    if (isOptional(input) && isLeftOut(reader, text)) return [];
    const external = typeof input === 'object' && input.external === true;
    return combineLists(reader, text, combination).map((one) =>
      readPath(reader, 'input', text, at, one, { external }),
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
    // A mapping is no part of a path: the list stays as it is, and is refused.
    if (values.length < list.length) continue;
    combinations = combinations.flatMap((one) =>
      values.map((value, index) =>
        new Map(one).set(name, { value, place: settings.place([...path, index]) }),
      ),
    );
  }
  return combinations;
}

/** Reports optional inputs whose absence would move others, or that could never be left out. */
export function checkOptionalInputs(reader: StageReader): void {
  const inputs = reader.entry.inputs ?? [];
  for (const [index, input] of inputs.entries()) {
    if (!isOptional(input)) continue;
    if (index < inputs.length - 1) {
      reader.report(
        reader.at(['inputs', index]),
        `inputs[${index}] is optional, so it must be the last one.`,
        'Stages identify inputs by position, so leaving one out must not move another.',
      );
    }
    if (listReferences(input.path).length === 0) {
      reader.report(
        reader.at(['inputs', index, 'path']),
        `inputs[${index}] is optional, and its path "${input.path}" has no reference that a profile could leave out.`,
        // biome-ignore lint/suspicious/noTemplateCurlyInString: this is the pipeline's own syntax
        'Name a key of the profile, as in { path: "${reference.logs}", optional: true }.',
      );
    }
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
