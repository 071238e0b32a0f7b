import { ReproError } from '../../base/errors.ts';
import { isSameJson } from '../../base/files/canonical-json.ts';
import { findClosest } from '../../base/schema/closest-name.ts';
import {
  getAt,
  isJsonList,
  isJsonObject,
  type Json,
  type JsonObject,
  type JsonPath,
  setAt,
} from '../../base/schema/json.ts';
import { findSubschema, type JsonSchema, listKeys } from '../../base/schema/json-schema.ts';
import { ConfigurationError, type Place, type Problem } from '../../base/schema/problems.ts';
import { show } from '../../base/schema/schema-problems.ts';
import { parseYaml, type YamlDocument } from '../../base/schema/yaml-document.ts';

interface Sources {
  readonly document: YamlDocument | undefined;
  readonly overrides: readonly Override[];
  readonly schema: JsonSchema | undefined;
}

/** The values of a profile after overrides, with the place each was set. */
export class ProfileSettings {
  readonly profile: string;
  readonly value: JsonObject;
  readonly #sources: Sources;

  constructor(profile: string, value: JsonObject, sources: Sources) {
    this.profile = profile;
    this.value = value;
    this.#sources = sources;
  }

  /** Overrides that give a key another value than the profile, without those that later ones replace. */
  get changes(): readonly Override[] {
    return this.#sources.overrides.filter(
      ({ path, value }, i) =>
        !this.#sources.overrides.slice(i + 1).some((later) => isPrefix(later.path, path)) &&
        !isSameJson(getAt(this.written, path), value),
    );
  }

  get written(): Json {
    return this.#sources.document?.value ?? null;
  }

  with(value: JsonObject): ProfileSettings {
    return new ProfileSettings(this.profile, value, this.#sources);
  }

  /** Where a value (or with `key`, its key) was set: in the profile, or by an override. */
  place(path: JsonPath, part: 'key' | 'value' = 'value'): Place {
    const { document, overrides } = this.#sources;
    const override = overrides.findLast(
      (one) =>
        isPrefix(one.path, path) ||
        // A mapping that exists only because an override set a value in it.
        (isPrefix(path, one.path) && path.length > 0 && !isJsonObject(getAt(this.written, path))),
    );
    if (override !== undefined) return override.place;
    return document?.positionOf(path, part) ?? `profile "${this.profile}"`;
  }

  /** Like `place`, but of the first `fragment` in a string. */
  placeIn(path: JsonPath, fragment: string): Place {
    const place = this.place(path);
    return typeof place === 'string' ? place : (this.#sources.document?.positionIn(path, fragment) ?? place);
  }

  mayHave(path: readonly string[]): boolean {
    return this.#subschemaOf(path) !== undefined;
  }

  isLeftOut(path: readonly string[]): boolean {
    return this.lookUp(path) === undefined && this.mayHave(path);
  }

  /** The schema's default for a key that the profile leaves out. */
  defaultOf(path: readonly string[]): Json | undefined {
    return this.lookUp(path) === undefined ? this.#subschemaOf(path)?.default : undefined;
  }

  #subschemaOf(path: readonly string[]): JsonObject | undefined {
    const { schema } = this.#sources;
    return schema && findSubschema(schema, path);
  }

  lookUp(path: readonly string[]): Json | undefined {
    return getAt(this.value, path);
  }

  /** `Closest: "train.epochs".`, from what is set and what could be. */
  suggest(name: string): string | undefined {
    const { schema } = this.#sources;
    const known = [...listSettings(this.value), ...(schema === undefined ? [] : listKeys(schema))];
    const closest = findClosest(name, known) ?? findByLastKey(name, known);
    return closest === undefined ? undefined : `Closest: "${closest}".`;
  }
}

/** Replaces `${...}` references between the settings themselves. */
export function expandSettings(settings: ProfileSettings): {
  settings: ProfileSettings;
  problems: Problem[];
} {
  const inProgress = new Set<string>();
  const lookup: Lookup = ({ path, text: fragment }) => {
    const name = path.join('.');
    if (inProgress.has(name)) return { fault: { fragment, message: `"${name}" refers to itself.` } };
    const value = settings.lookUp(path);
    if (value === undefined) {
      const message = `"${fragment}" is not set by profile "${settings.profile}".`;
      return { fault: { fragment, message, fix: () => settings.suggest(name) } };
    }
    inProgress.add(name);
    // A mapping or list is copied whole: its own references are expanded with it.
    let fault: ReferenceFault | undefined;
    const copy = mapTexts(value, [], (text) => {
      const expanded = expandText(text, lookup);
      if ('value' in expanded) return expanded.value;
      fault ??= expanded.fault;
      return text;
    });
    inProgress.delete(name);
    return fault === undefined ? { value: copy } : { fault };
  };
  const problems: Problem[] = [];
  const value = mapTexts(settings.value, [], (text, path) => {
    const expanded = expandText(text, lookup);
    if ('value' in expanded) return expanded.value;
    const { fragment, message, fix } = expanded.fault;
    problems.push({ at: settings.placeIn(path, fragment), message: `${path.join('.')}: ${message}`, fix });
    return text;
  });
  return { settings: settings.with(isJsonObject(value) ? value : {}), problems };
}

/** The settings at some paths, as one nested object. */
export function pickSettings(settings: ProfileSettings, paths: readonly (readonly string[])[]): JsonObject {
  let picked: JsonObject = {};
  // Shorter paths first: `train` already includes `train.epochs`.
  for (const path of paths.toSorted((a, b) => a.length - b.length)) {
    const value = settings.lookUp(path);
    if (value !== undefined && getAt(picked, path) === undefined) picked = setAt(picked, path, value);
  }
  return picked;
}

function mapTexts(value: Json, path: JsonPath, change: (text: string, path: JsonPath) => Json): Json {
  if (typeof value === 'string') return change(value, path);
  if (isJsonList(value)) return value.map((item, index) => mapTexts(item, [...path, index], change));
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, mapTexts(item, [...path, key], change)]),
  );
}

function listSettings(value: JsonObject, prefix = ''): string[] {
  return Object.entries(value).flatMap(([key, child]) => [
    prefix + key,
    ...(isJsonObject(child) ? listSettings(child, `${prefix}${key}.`) : []),
  ]);
}

/** `train.epochs` for `epochs`, if no other mapping has a key of that name. */
function findByLastKey(name: string, known: readonly string[]): string | undefined {
  const last = name.slice(name.lastIndexOf('.') + 1);
  const found = new Set(known.filter((key) => key !== name && key.endsWith(`.${last}`)));
  const [only] = found;
  return found.size === 1 ? only : undefined;
}

function isPrefix(prefix: JsonPath, path: JsonPath): boolean {
  return prefix.length <= path.length && prefix.every((step, index) => step === path[index]);
}

/** One `--set train.epochs=3`. */
interface Override {
  readonly path: readonly string[];
  readonly value: Json;
  readonly place: string;
}

const nullPattern = /^(?:~|null|Null|NULL)$/;

const keyPattern = /^[A-Za-z_][A-Za-z0-9_-]*(\.[A-Za-z_][A-Za-z0-9_-]*)*$/;

/** Reads `--set` arguments; each value is YAML, so `3` is a number and `[1, 2]` a list. */
export async function parseOverrides(assignments: readonly string[]): Promise<Override[]> {
  const overrides: Override[] = [];
  for (const assignment of assignments) {
    const place = `--set ${assignment}`;
    const refuse = (message: string, fix?: string) => new ConfigurationError([{ at: place, message, fix }]);
    const equals = assignment.indexOf('=');
    if (equals === -1) throw refuse('has no value.', `Write --set ${assignment}=VALUE.`);
    const key = assignment.slice(0, equals).trim();
    const text = assignment.slice(equals + 1);
    if (!keyPattern.test(key)) {
      throw refuse(`"${key}" is not a profile key.`, 'A key is a dotted name such as train.epochs.');
    }
    if (text.trim() === '') throw refuse('has no value.', `For an empty string write --set '${key}=""'.`);
    try {
      // As a whole document, YAML's null is an empty document.
      const value = nullPattern.test(text.trim()) ? null : (await parseYaml(text, place)).value;
      overrides.push({ path: key.split('.'), value, place });
    } catch (cause) {
      if (!(cause instanceof ReproError)) throw cause;
      const problem = cause instanceof ConfigurationError ? cause.problems[0] : cause;
      const opened = /^\s*([[{])/.exec(text)?.[1];
      const list =
        opened === undefined
          ? ''
          : `Close it with ${opened === '[' ? ']' : '}'}. A text that begins so is quoted for YAML: `;
      const fix = `${list || 'Quote the value for YAML: '}--set '${key}="…"'.`;
      throw refuse(problem?.message ?? cause.message, fix);
    }
  }
  return overrides;
}

/** The profile's value with every override applied; for each key the last one wins. */
export function applyOverrides(profile: JsonObject, overrides: readonly Override[]): JsonObject {
  return overrides.reduce((value, override) => setAt(value, override.path, override.value), profile);
}

/** `${a.b}` in a string. */
export interface Reference {
  /** As it is written, `${a.b}`. */
  readonly text: string;
  readonly path: readonly string[];
}

type Template = readonly (string | Reference)[];

interface ReferenceFault {
  readonly fragment: string;
  readonly message: string;
  readonly fix?: string | undefined | (() => string | undefined);
}

export type Expanded = { readonly value: Json } | { readonly fault: ReferenceFault };

export type Lookup = (reference: Reference) => Expanded;

const namePattern = /^[A-Za-z_][A-Za-z0-9_-]*(\.[A-Za-z_][A-Za-z0-9_-]*)*$/;

/** A text as a profile has it. By a function, since `$$` stands for `$` in a replacement. */
export const escapeReferences = (text: string): string => text.replaceAll('${', () => '$${');

/** Splits a string at its references; `$${` stands for the characters `${`. */
export function parseTemplate(text: string): { template: Template } | { fault: ReferenceFault } {
  const parts: (string | Reference)[] = [];
  let literal = '';
  for (const [piece, name] of text.matchAll(/\$\$\{|\$\{([^}]*)\}|\$\{.*|\$|[^$]+/gs)) {
    if (piece === '$${') literal += '${';
    else if (!piece.startsWith('${')) literal += piece;
    else if (name === undefined) {
      return { fault: { fragment: piece, message: `${JSON.stringify(text)} has no closing "}".` } };
    } else if (!namePattern.test(name.trim())) {
      const message = `"${piece}" is not a reference.`;
      // biome-ignore lint/suspicious/noTemplateCurlyInString: this is the pipeline's own syntax
      const fix = 'A reference is a dotted key, such as ${dataset.root}; $${ stands for the characters ${.';
      return { fault: { fragment: piece, message, fix } };
    } else {
      if (literal !== '') parts.push(literal);
      literal = '';
      parts.push({ text: piece, path: name.trim().split('.') });
    }
  }
  if (literal !== '') parts.push(literal);
  return { template: parts };
}

/**
 * Replaces the references in a string with their values. A string that is exactly one reference takes the
 * value with its type; inside a longer string, numbers and booleans become text.
 */
export function expandText(text: string, lookup: Lookup): Expanded {
  if (!text.includes('${')) return { value: text };
  const parsed = parseTemplate(text);
  if ('fault' in parsed) return parsed;
  const [first] = parsed.template;
  if (parsed.template.length === 1 && typeof first === 'object') return lookup(first);

  let result = '';
  for (const part of parsed.template) {
    if (typeof part === 'string') {
      result += part;
      continue;
    }
    const expanded = lookup(part);
    if ('fault' in expanded) return expanded;
    const { value } = expanded;
    if (value === null || typeof value === 'object') {
      const message = `"${part.text}" is ${show(value)} and cannot be part of a longer string.`;
      return { fault: { fragment: part.text, message } };
    }
    result += String(value);
  }
  return { value: result };
}
