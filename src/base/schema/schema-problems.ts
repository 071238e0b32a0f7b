import path from 'node:path';
import { ReproError } from '../errors.ts';
import { shortenText } from '../text.ts';
import { findClosest, suggestName } from './closest-name.ts';
import { formatPath, getAt, isJsonObject, type Json, type JsonObject, type JsonPath } from './json.ts';
import { JsonSchema, type SchemaError } from './json-schema.ts';
import { ConfigurationError, type Place, type Problem, throwProblems } from './problems.ts';
import { keyAdvice, parseYaml, readTextFile, readYamlFile, type YamlDocument } from './yaml-document.ts';

export interface SchemaSubject {
  readonly value: Json;
  /** Where the value at a path is written, or with `key`, its key. */
  place(path: JsonPath, part: 'key' | 'value'): Place;
  /** The prefix of a message about a path, with its colon: `stage "train": inputs[0]: `. */
  describe?(path: JsonPath): string;
  /** Extra advice about a key that is not in the schema. */
  suggestKey?(path: JsonPath, key: string): string | undefined;
}

/** Checks a value and reports problems with places and suggestions. */
export async function checkSchema(schema: JsonSchema, subject: SchemaSubject): Promise<Problem[]> {
  const found = await schema.check(subject.value);
  const errors = withoutBranches(found);
  const unknown = new Map<string, string[]>();
  for (const { instancePath, keyword, params } of errors) {
    if (keyword !== 'additionalProperties') continue;
    unknown.set(instancePath, [...(unknown.get(instancePath) ?? []), String(params.additionalProperty)]);
  }
  return errors
    .filter((error) => {
      // A misspelt key is also a missing one: reported once, at the key.
      if (error.keyword !== 'required') return true;
      const missing = String(error.params.missingProperty);
      return (unknown.get(error.instancePath) ?? []).every(
        (key) => findClosest(key, [missing]) === undefined,
      );
    })
    .map((error) => toProblem(error, subject));
}

/**
 * Reads a YAML file that one of `schemas/` describes.
 *
 * @param name of the schema, `judge`
 * @returns `content`: the type that says the same as the schema
 * @throws {ConfigurationError} with the place of every problem
 */
export async function readChecked<Content>(
  absolutePath: string,
  file: string,
  name: string,
  imported: Promise<{ readonly default: JsonObject }>,
  describe?: SchemaSubject['describe'],
): Promise<{ readonly document: YamlDocument; readonly content: Content }> {
  const [document, { default: definition }] = await Promise.all([readYamlFile(absolutePath, file), imported]);
  const { value } = document;
  const place = document.positionOf.bind(document);
  const schema = new JsonSchema(definition, `schemas/${name}.schema.json`);
  throwProblems(await checkSchema(schema, { value, place, ...(describe && { describe }) }));
  // TypeScript does not know what the schema has just checked.
  return { document, content: value as unknown as Content };
}

function toProblem(error: SchemaError, subject: SchemaSubject): Problem {
  const path = parsePointer(error.instancePath, subject.value);
  const describe = subject.describe ?? describePath;
  const prefix = describe(path);
  const at = (part: 'key' | 'value', more: JsonPath = []) => subject.place([...path, ...more], part);

  switch (error.keyword) {
    case 'additionalProperties': {
      const key = String(error.params.additionalProperty);
      const known = Object.keys((error.parentSchema?.properties as object | undefined) ?? {});
      const fix = (): string | undefined =>
        suggestClosest(key, known) ?? subject.suggestKey?.(path, key) ?? suggestName(key, known);
      return { at: at('key', [key]), message: `${prefix}unknown key "${key}".`, fix };
    }
    case 'propertyNames': {
      const key = String(error.params.propertyName);
      const message = `${prefix}"${key}" is not allowed as a name here.`;
      return { at: at('key', [key]), message, fix: descriptionIn(error.schema) };
    }
    case 'required': {
      const key = String(error.params.missingProperty);
      return { at: at('key'), message: `${prefix}"${key}" is missing.`, fix: descriptionOfKey(error, key) };
    }
    case 'enum':
    case 'const': {
      const isConst = error.keyword === 'const';
      const { allowedValue, allowedValues } = error.params;
      const allowed: readonly unknown[] = isConst ? [allowedValue] : allowedValues;
      const found = error.data;
      const words = allowed.filter((one) => typeof one === 'string');
      const closest = typeof found === 'string' ? suggestClosest(found, words) : undefined;
      const choice = allowed.length === 1 ? 'is not' : 'is not one of';
      const message = `${prefix}${show(found)} ${choice} ${allowed.map(show).join(', ')}.`;
      const fix = closest ?? (isConst ? descriptionIn(error.parentSchema) : undefined);
      return { at: at('value'), message, fix };
    }
    case 'oneOf':
    case 'anyOf':
      return {
        at: at('key'),
        message: `${prefix}${describeChoice(error)}`,
        fix: descriptionIn(error.parentSchema),
      };
    default:
      return { at: at('value'), message: `${prefix}${describeRule(error)}`, fix: ruleOf(error) };
  }
}

function suggestClosest(name: string, known: readonly string[]): string | undefined {
  const closest = findClosest(name, known);
  return closest === undefined ? undefined : `Closest: "${closest}".`;
}

/**
 * Drops failures inside the branches of an `anyOf` or `oneOf` that cannot have been intended.
 * A branch was intended if it fails below the value itself (at a key of the right kind of mapping, say);
 * if there is exactly one, its failures replace that of the choice.
 */
function withoutBranches(errors: readonly SchemaError[]): SchemaError[] {
  // A rule broken by a name is reported with the name, and a condition is never itself the problem.
  let kept = errors.filter(
    ({ keyword, schemaPath }) => keyword !== 'if' && !schemaPath.includes('/propertyNames/'),
  );
  for (const choice of errors.filter(({ keyword }) => keyword === 'oneOf' || keyword === 'anyOf')) {
    const branches = new Map<string, SchemaError[]>();
    for (const error of kept) {
      if (!error.schemaPath.startsWith(`${choice.schemaPath}/`)) continue;
      const branch = error.schemaPath.slice(choice.schemaPath.length + 1).split('/', 1)[0] ?? '';
      branches.set(branch, [...(branches.get(branch) ?? []), error]);
    }
    const isMismatch = (error: SchemaError) =>
      (error.instancePath === choice.instancePath && ['type', 'required', 'enum'].includes(error.keyword)) ||
      error.keyword === 'const';
    const meant = [...branches.values()].filter((branch) => !branch.some(isMismatch));
    const dropped = new Set([...branches.values()].flat());
    if (meant.length === 1) {
      for (const error of meant[0] ?? []) dropped.delete(error);
      dropped.add(choice);
    }
    kept = kept.filter((error) => !dropped.has(error));
  }
  return kept;
}

function parsePointer(pointer: string, value: Json): JsonPath {
  const path: (string | number)[] = [];
  for (const step of pointer.split('/').slice(1)) {
    const name = step.replaceAll('~1', '/').replaceAll('~0', '~');
    path.push(Array.isArray(getAt(value, path)) ? Number(name) : name);
  }
  return path;
}

function describePath(path: JsonPath): string {
  return path.length === 0 ? '' : `${formatPath(path)}: `;
}

/**
 * Checks a YAML file against a JSON Schema.
 *
 * @param file relative to the project; also its name in messages
 * @returns every problem with its place; empty if the file is valid
 */
export async function findFileProblems(
  file: string,
  rules: JsonSchema,
  projectRoot: string,
): Promise<readonly Problem[]> {
  try {
    const text = await readTextFile(path.resolve(projectRoot, file), file);
    const document = await parseYaml(text, file);
    const place = document.positionOf.bind(document);
    return await checkSchema(rules, { value: document.value, place });
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems;
    if (!(error instanceof ReproError)) throw error;
    return [{ at: error.where ?? file, message: error.message, fix: error.fix }];
  }
}

/** What each rule requires, from its parameters; what was found follows. */
const bounds: Readonly<Record<string, (params: SchemaError['params']) => string>> = {
  type: ({ type }) => `must be ${nameTypes(type)}`,
  minimum: ({ limit }) => `must be at least ${limit}`,
  maximum: ({ limit }) => `must be at most ${limit}`,
  exclusiveMinimum: ({ limit }) => `must be more than ${limit}`,
  exclusiveMaximum: ({ limit }) => `must be less than ${limit}`,
};

const rules: Readonly<Record<string, (params: SchemaError['params'], data: unknown) => string>> = {
  minItems: ({ limit }) => (limit === 1 ? 'must not be empty.' : `must have at least ${limit} entries.`),
  maxItems: ({ limit }) => `must have at most ${limit} entries.`,
  minProperties: ({ limit }) => (limit === 1 ? 'must not be empty.' : `must have at least ${limit} keys.`),
  minLength: ({ limit }) =>
    limit === 1 ? 'must not be an empty string.' : `must have at least ${limit} characters.`,
  uniqueItems: ({ i, j }) =>
    `has the same entry twice (entries ${Math.min(i, j) + 1} and ${Math.max(i, j) + 1}).`,
  pattern: (_, data) => `${show(data)} has the wrong form.`,
  'false schema': () => 'is not allowed here.',
  not: () => 'is not allowed here.',
};

/** What a rule requires and what was found: `must be at least 1, not 0.` */
function describeRule({ keyword, params, data, message }: SchemaError): string {
  const bound = bounds[keyword]?.(params);
  if (bound !== undefined) return `${bound}, not ${show(data)}.`;
  return rules[keyword]?.(params, data) ?? `${message ?? `breaks the rule "${keyword}"`}.`;
}

/** The keys that the branches of a choice require, if that is all they do. */
function keysOfBranches(error: SchemaError): string[] | undefined {
  const branches: readonly Json[] = Array.isArray(error.schema) ? error.schema : [];
  const keys = branches.flatMap((branch) => {
    const required = isJsonObject(branch) && Object.keys(branch).length === 1 ? branch.required : undefined;
    return Array.isArray(required) && required.length === 1 ? [String(required[0])] : [];
  });
  return keys.length === branches.length && keys.length > 0 ? keys : undefined;
}

/** `must have exactly one of "run" and "cmd"` if the branches only require keys. */
function describeChoice(error: SchemaError): string {
  const keys = keysOfBranches(error);
  if (keys === undefined) return 'matches none of the forms allowed here.';
  const names = keys.map((key) => `"${key}"`).join(error.keyword === 'oneOf' ? ' and ' : ' or ');
  const found: unknown = error.data;
  const present =
    typeof found === 'object' && found !== null ? keys.filter((key) => Object.hasOwn(found, key)) : [];
  if (error.keyword === 'anyOf') return `must have ${names}.`;
  return `must have exactly one of ${names}; it has ${present.length === 0 ? 'neither' : 'both'}.`;
}

const typeNames: { readonly [type: string]: string } = {
  string: 'a string',
  number: 'a number',
  integer: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping',
  null: 'null',
};

function nameTypes(types: unknown): string {
  const names = (Array.isArray(types) ? types : [types]).map(
    (type) => typeNames[String(type)] ?? String(type),
  );
  return new Intl.ListFormat('en', { type: 'disjunction' }).format([...new Set(names)]);
}

/** A value as one short line. */
export function show(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object' && value !== null) return 'a mapping';
  return shortenText(JSON.stringify(value) ?? String(value), 60);
}

/** What to do about a string in place of something else, or what the schema says about a pattern or a forbidden value. */
function ruleOf({ keyword, params, data, parentSchema }: SchemaError): string | undefined {
  if (keyword === 'type' && typeof data === 'string') return fixType(data, [params.type].flat());
  return ['pattern', 'not'].includes(keyword) ? descriptionIn(parentSchema) : undefined;
}

function fixType(found: string, wanted: readonly unknown[]): string | undefined {
  const isMeant =
    (wanted.includes('number') && /^-?\d+(\.\d+)?$/.test(found)) ||
    (wanted.includes('integer') && /^-?\d+$/.test(found)) ||
    (wanted.includes('boolean') && ['true', 'false'].includes(found));
  if (isMeant) return `Write it without quotes: ${found}.`;
  if (wanted.includes('array')) return 'Write a list in brackets, with commas: [a, b].';
  return wanted.includes('object') && /^[\w-]+[: ]/.test(found) ? keyAdvice : undefined;
}

function descriptionIn(schema: unknown): string | undefined {
  const description =
    typeof schema === 'object' && schema !== null && 'description' in schema ? schema.description : undefined;
  return typeof description === 'string' ? description : undefined;
}

function descriptionOfKey(error: SchemaError, key: string): string | undefined {
  const properties: Json | undefined = error.parentSchema?.properties;
  const description = properties === undefined ? undefined : getAt(properties, [key, 'description']);
  return typeof description === 'string' ? `${key}: ${description}` : undefined;
}
