import { findClosest } from '../../base/schema/closest-name.ts';
import type { Json, JsonPath } from '../../base/schema/json.ts';
import { formatPlace, type Place, type Problem, type SourcePosition } from '../../base/schema/problems.ts';
import { show } from '../../base/schema/schema-problems.ts';
import type { PipelineFile, StageEntry } from './pipeline-file.ts';
import type { MatrixValue } from './plan.ts';
import type { ProfileSettings } from './profile-settings.ts';
import { type Expanded, expandText, type Lookup, parseTemplate } from './profile-settings.ts';
import type { ProjectPaths } from './project-paths.ts';

export interface PipelineContext {
  readonly pipeline: PipelineFile;
  readonly settings: ProfileSettings;
  readonly paths: ProjectPaths;
  /** What `facts:` may name; anything if the caller does not specify. */
  readonly knownFacts: readonly string[] | undefined;
  readonly problems: Problem[];
}

/** A point of a stage's matrix: the value of each variable, with the place where it is written. */
export type Combination = ReadonlyMap<string, { readonly value: MatrixValue; readonly place: Place }>;

const noCombination: Combination = new Map();

/** Reads the entries of one stage: expands references, and reports problems with stage and place. */
export class StageReader {
  readonly name: string;
  readonly entry: StageEntry;
  readonly context: PipelineContext;

  constructor(name: string, entry: StageEntry, context: PipelineContext) {
    this.name = name;
    this.entry = entry;
    this.context = context;
  }

  at(path: JsonPath, part: 'key' | 'value' = 'value'): SourcePosition {
    return this.context.pipeline.document.positionOf(['stages', this.name, ...path], part);
  }

  report(at: SourcePosition, message: string, fix?: Problem['fix']): void {
    this.context.problems.push({ at, message: `stage "${this.name}": ${message}`, fix });
  }

  /** The value of a string with its references expanded; undefined if a problem was reported. */
  expand(value: Json, path: JsonPath, combination: Combination = noCombination): Json | undefined {
    if (typeof value !== 'string') return value;
    const expanded = this.expandQuietly(value, combination);
    if ('value' in expanded) return expanded.value;
    const { fragment, message, fix } = expanded.fault;
    const place = this.context.pipeline.document.positionIn(['stages', this.name, ...path], fragment);
    this.report(place, message, fix);
    return undefined;
  }

  expandQuietly(text: string, combination: Combination): Expanded {
    return expandText(text, this.#lookup(combination));
  }

  /** Like `expand`, but the result must be a string or a number. */
  expandToText(value: string | number, path: JsonPath, combination: Combination): string | undefined {
    const expanded = this.expand(value, path, combination);
    if (expanded === undefined) return undefined;
    if (typeof expanded !== 'object') return String(expanded);
    this.report(this.at(path), `"${value}" is ${show(expanded)}; expected a string.`);
    return undefined;
  }

  /** `${model} is "basline" (configs/profiles/quick.yaml:25:10).`, one line per reference. */
  describeOrigin(text: string, combination: Combination): string | undefined {
    const parsed = parseTemplate(text);
    if ('fault' in parsed) return undefined;
    const lookup = this.#lookup(combination);
    const lines = parsed.template.flatMap((part) => {
      if (typeof part === 'string') return [];
      const place = combination.get(part.path.join('.'))?.place ?? this.context.settings.place(part.path);
      const expanded = lookup(part);
      const value = 'value' in expanded ? show(expanded.value) : 'not set';
      return [`${part.text} is ${value} (${formatPlace(place)}).`];
    });
    return joinLines(...new Set(lines));
  }

  #lookup(combination: Combination): Lookup {
    const { settings } = this.context;
    return (reference) => {
      const name = reference.path.join('.');
      const variable = combination.get(name);
      if (variable !== undefined) return { value: variable.value };
      const isInVariable = combination.has(reference.path[0] ?? '');
      const value = isInVariable ? undefined : settings.lookUp(reference.path);
      if (value !== undefined) return { value };
      const matrix = combination.size === 0 ? '' : `, nor does the matrix`;
      const message = `"${reference.text}" is not set: profile "${settings.profile}" has no "${name}"${matrix}.`;
      const fix = () => suggestReference(name, combination, settings);
      return { fault: { fragment: reference.text, message, fix } };
    };
  }
}

/** The value that `when:` names, for a stage that the profile may leave out; undefined if a problem was reported. */
export function readCondition(reader: StageReader): boolean | undefined {
  const { when } = reader.entry;
  if (when === undefined || typeof when === 'boolean') return when ?? true;
  const negated = when.startsWith('!');
  const parsed = parseTemplate(negated ? when.slice(1) : when);
  const [reference] = 'template' in parsed ? parsed.template : [];
  const leftOut = typeof reference === 'object' && reader.context.settings.isLeftOut(reference.path);
  const value = leftOut ? null : reader.expand(negated ? when.slice(1) : when, ['when']);
  return value === undefined ? undefined : Boolean(value) !== negated;
}

function suggestReference(
  name: string,
  combination: Combination,
  settings: ProfileSettings,
): string | undefined {
  const variable = findClosest(name, combination.keys());
  if (variable !== undefined) return `Closest: "\${${variable}}".`;
  return settings.suggest(name);
}

export function joinLines(...lines: readonly (string | undefined)[]): string | undefined {
  const present = lines.filter((line) => line !== undefined && line !== '');
  return present.length === 0 ? undefined : present.join('\n');
}
