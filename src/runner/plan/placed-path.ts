import type { JsonPath } from '../../schema/json.ts';
import type { Problem, SourcePosition } from '../../schema/problems.ts';
import type { Combination } from './matrix.ts';
import { describeLink, isInArtifacts, refuseOutput } from './output-paths.ts';
import { adviseProfile } from './output-remedy.ts';
import type { PathFault } from './project-paths.ts';
import { joinLines, type StageReader } from './stage-reader.ts';

/**
 * A path of one instance, with what messages need to say about it. That is worked out when it is asked for: there may be tens of thousands
 * of paths, and few of them are wrong.
 */
export class PlacedPath {
  readonly path: string;
  /** Whether it is data supplied by the user. */
  readonly external: boolean;
  readonly #reader: StageReader;
  readonly #text: string;
  readonly #written: JsonPath;
  readonly #combination: Combination;

  /**
   * @param path in the project's form
   * @param source.text as it is written, at `written` inside the stage
   */
  constructor(
    path: string,
    external: boolean,
    source: {
      readonly reader: StageReader;
      readonly text: string;
      readonly written: JsonPath;
      readonly combination: Combination;
    },
  ) {
    this.path = path;
    this.external = external;
    this.#reader = source.reader;
    this.#text = source.text;
    this.#written = source.written;
    this.#combination = source.combination;
  }

  get at(): SourcePosition {
    return this.#reader.at(this.#written);
  }

  /** The values behind the references of the path: `${model} is "basline" (quick.yaml:25:10).` */
  origin(): string | undefined {
    return this.#reader.describeOrigin(this.#text, this.#combination);
  }

  /** What to do if the path may not be written to: the lines below a message that rejects an output. */
  remedy(): string | undefined {
    const { name, entry, surroundings } = this.#reader;
    return joinLines(
      'The runner replaces and deletes what stages write, so it must be below artifacts/.',
      this.origin(),
      adviseProfile(this.#text, this.#combination, { name, when: entry.when }, surroundings.settings),
    );
  }
}

type PathRole = 'input' | 'output' | 'resume path' | 'module';

/** A path of the project, expanded and in the project's form; undefined if a problem was reported. */
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
  const { paths, problems, tolerated } = reader.surroundings;
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
  if (fault.link !== undefined && isInArtifacts(fault.link.path)) return describeLink(fault.link);
  const describe = (message: string, fix: Problem['fix']): Problem => ({
    at: placed.at,
    message: `stage "${reader.name}": ${role} ${JSON.stringify(expanded)} ${message}`,
    fix,
  });
  if (fault.misplaced === true && (role === 'output' || role === 'resume path')) {
    // "Write it as a relative path" does not help if the relative path is rejected too.
    const { inside } = fault;
    const refusal = inside === undefined ? undefined : refuseOutput(inside);
    const isAbsoluteOnly = inside !== undefined && refusal === undefined;
    return describe(refusal ?? fault.message, isAbsoluteOnly ? fault.fix : () => placed.remedy());
  }
  const advice =
    role === 'input' && fault.leaves === true
      ? 'Declare data outside the project as { path: …, external: true }.'
      : fault.fix;
  return describe(fault.message, () => joinLines(advice, placed.origin()));
}
