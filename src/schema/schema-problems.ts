import { findClosest, suggestName } from './closest-name.ts';
import { formatPath, getAt, isJsonObject, type Json, type JsonPath } from './json.ts';
import type { JsonSchema, SchemaError } from './json-schema.ts';
import { PassedChecks } from './passed-checks.ts';
import type { Problem } from './problems.ts';
import type { Place } from './source-position.ts';

/** What is checked, and how its parts are named to the reader. */
export interface SchemaSubject {
  readonly value: Json;
  /** Where the value at a path is written, or with `key`, its key. */
  place(path: JsonPath, part: 'key' | 'value'): Place;
  /** The beginning of a message about a path, with its colon: `stage "train": inputs[0]: `. */
  describe?(path: JsonPath): string;
  /** Further advice about a key that the schema does not know. */
  suggestKey?(path: JsonPath, key: string): string | undefined;
}

/**
 * Checks a value and says, with places and suggestions, what is wrong with it.
 *
 * @param passed what need not be checked again
 */
export async function checkSchema(
  schema: JsonSchema,
  subject: SchemaSubject,
  passed: PassedChecks = PassedChecks.none(),
): Promise<Problem[]> {
  const text = JSON.stringify(subject.value);
  if (passed.has(schema.text, text)) return [];
  const found = await schema.check(subject.value);
  if (found.length === 0) passed.add(schema.text, text);
  const errors = withoutBranches(found);
  const unknown = new Map<string, string[]>();
  for (const { instancePath, keyword, params } of errors) {
    if (keyword !== 'additionalProperties') continue;
    unknown.set(instancePath, [...(unknown.get(instancePath) ?? []), String(params.additionalProperty)]);
  }
  return errors
    .filter((error) => {
      // A misspelt key is also a missing one: said once, at the key.
      if (error.keyword !== 'required') return true;
      const missing = String(error.params.missingProperty);
      return (unknown.get(error.instancePath) ?? []).every(
        (key) => findClosest(key, [missing]) === undefined,
      );
    })
    .map((error) => toProblem(error, subject));
}

function toProblem(error: SchemaError, subject: SchemaSubject): Problem {
  const path = parsePointer(error.instancePath, subject.value);
  const describe = subject.describe ?? describePath;
  const prefix = describe(path);
  const at = (part: 'key' | 'value', more: JsonPath = []) => subject.place([...path, ...more], part);

  switch (error.keyword) {
    case 'additionalProperties':
    case 'unevaluatedProperties': {
      const key = String(error.params.additionalProperty ?? error.params.unevaluatedProperty);
      const known = Object.keys((error.parentSchema?.properties as object | undefined) ?? {});
      return {
        at: at('key', [key]),
        message: `${prefix}unknown key "${key}".`,
        fix: () => findClosestKey(key, known) ?? subject.suggestKey?.(path, key) ?? suggestName(key, known),
      };
    }
    case 'propertyNames': {
      const key = String(error.params.propertyName);
      return {
        at: at('key', [key]),
        message: `${prefix}"${key}" cannot be a name here.`,
        fix: ruleOf(error),
      };
    }
    case 'required': {
      const key = String(error.params.missingProperty);
      return { at: at('key'), message: `${prefix}"${key}" is missing.`, fix: descriptionOfKey(error, key) };
    }
    case 'enum':
    case 'const': {
      const allowed: readonly unknown[] =
        error.keyword === 'const' ? [error.params.allowedValue] : error.params.allowedValues;
      const found = error.data;
      const closest =
        typeof found === 'string'
          ? findClosest(
              found,
              allowed.filter((one) => typeof one === 'string'),
            )
          : undefined;
      const choice = allowed.length === 1 ? 'is not' : 'is none of';
      return {
        at: at('value'),
        message: `${prefix}${show(found)} ${choice} ${allowed.map(show).join(', ')}.`,
        fix: closest === undefined ? undefined : `Closest: "${closest}".`,
      };
    }
    case 'oneOf':
    case 'anyOf':
      return { at: at('key'), message: `${prefix}${describeChoice(error)}`, fix: descriptionOf(error) };
    default:
      return { at: at('value'), message: `${prefix}${describeRule(error)}`, fix: ruleOf(error) };
  }
}

function findClosestKey(key: string, known: readonly string[]): string | undefined {
  const closest = findClosest(key, known);
  return closest === undefined ? undefined : `Closest: "${closest}".`;
}

function describeRule(error: SchemaError): string {
  const { params, data } = error;
  const found = `not ${show(data)}.`;
  switch (error.keyword) {
    case 'type':
      return `must be ${nameTypes(params.type)}, ${found}`;
    case 'minimum':
      return `must be at least ${params.limit}, ${found}`;
    case 'maximum':
      return `must be at most ${params.limit}, ${found}`;
    case 'exclusiveMinimum':
      return `must be more than ${params.limit}, ${found}`;
    case 'exclusiveMaximum':
      return `must be less than ${params.limit}, ${found}`;
    case 'multipleOf':
      return `must be a multiple of ${params.multipleOf}, ${found}`;
    case 'minItems':
      return params.limit === 1 ? 'must not be empty.' : `must have at least ${params.limit} entries.`;
    case 'maxItems':
      return `must have at most ${params.limit} entries.`;
    case 'minProperties':
      return params.limit === 1 ? 'must not be empty.' : `must have at least ${params.limit} keys.`;
    case 'minLength':
      return params.limit === 1
        ? 'must not be empty text.'
        : `must have at least ${params.limit} characters.`;
    case 'uniqueItems':
      return `has the same entry twice (entries ${Math.min(params.i, params.j) + 1} and ${Math.max(params.i, params.j) + 1}).`;
    case 'pattern':
      return `${show(data)} is not written as it must be.`;
    case 'false schema':
      return 'is not allowed here.';
    default:
      return `${error.message ?? `breaks the rule "${error.keyword}"`}.`;
  }
}

/** `must have exactly one of "run" and "cmd"` where the branches only ask for keys; else a list of the types that fit. */
function describeChoice(error: SchemaError): string {
  const branches: readonly Json[] = Array.isArray(error.schema) ? error.schema : [];
  const keys = branches.flatMap((branch) => {
    const required = isJsonObject(branch) && Object.keys(branch).length === 1 ? branch.required : undefined;
    return Array.isArray(required) && required.length === 1 ? [String(required[0])] : [];
  });
  if (keys.length !== branches.length || keys.length === 0) {
    const types = branches.flatMap((branch) => (isJsonObject(branch) && branch.type) || []).map(String);
    if (types.length === branches.length) return `must be ${nameTypes(types)}, not ${show(error.data)}.`;
    return 'fits none of the forms that are allowed here.';
  }
  const names = keys.map((key) => `"${key}"`).join(error.keyword === 'oneOf' ? ' and ' : ' or ');
  const found: unknown = error.data;
  const present =
    typeof found === 'object' && found !== null ? keys.filter((key) => Object.hasOwn(found, key)) : [];
  if (error.keyword === 'anyOf') return `must have ${names}.`;
  return `must have exactly one of ${names}; it has ${present.length === 0 ? 'neither' : 'both'}.`;
}

/**
 * Without the failures inside the branches of an `anyOf` or `oneOf` that cannot have been meant.
 * A branch is meant if it fails below the value itself (a key of the right kind of mapping, say);
 * if exactly one is, its failures replace that of the choice.
 */
function withoutBranches(errors: readonly SchemaError[]): SchemaError[] {
  let kept = errors.filter(({ keyword }) => keyword !== 'if');
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

const typeNames: { readonly [type: string]: string } = {
  string: 'text',
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
  const text = JSON.stringify(value) ?? String(value);
  return text.length <= 60 ? text : `${text.slice(0, 57)}…`;
}

function ruleOf(error: SchemaError): string | undefined {
  return error.keyword === 'pattern' || error.keyword === 'propertyNames' ? descriptionOf(error) : undefined;
}

function descriptionOf(error: SchemaError): string | undefined {
  const description = error.parentSchema?.description;
  return typeof description === 'string' ? description : undefined;
}

function descriptionOfKey(error: SchemaError, key: string): string | undefined {
  const properties: Json | undefined = error.parentSchema?.properties;
  const description = properties === undefined ? undefined : getAt(properties, [key, 'description']);
  return typeof description === 'string' ? `${key}: ${description}` : undefined;
}
