import { shortenText } from '../text.ts';
import { getAt, isJsonObject, type Json } from './json.ts';
import type { SchemaError } from './json-schema.ts';
import { keyAdvice } from './yaml-document.ts';

/** What each rule requires, from its parameters; what was found follows. */
const bounds: Readonly<Record<string, (params: SchemaError['params']) => string>> = {
  type: ({ type }) => `must be ${nameTypes(type)}`,
  minimum: ({ limit }) => `must be at least ${limit}`,
  maximum: ({ limit }) => `must be at most ${limit}`,
  exclusiveMinimum: ({ limit }) => `must be more than ${limit}`,
  exclusiveMaximum: ({ limit }) => `must be less than ${limit}`,
  multipleOf: ({ multipleOf }) => `must be a multiple of ${multipleOf}`,
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
export function describeRule({ keyword, params, data, message }: SchemaError): string {
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

/** `must have exactly one of "run" and "cmd"` if the branches only require keys; otherwise the types that fit. */
export function describeChoice(error: SchemaError): string {
  const keys = keysOfBranches(error);
  if (keys === undefined) {
    const branches: readonly Json[] = Array.isArray(error.schema) ? error.schema : [];
    const types = branches.flatMap((branch) => (isJsonObject(branch) && branch.type) || []).map(String);
    if (types.length === branches.length) return `must be ${nameTypes(types)}, not ${show(error.data)}.`;
    return 'matches none of the forms allowed here.';
  }
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
export function ruleOf({ keyword, params, data, parentSchema }: SchemaError): string | undefined {
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

export function descriptionIn(schema: unknown): string | undefined {
  const description =
    typeof schema === 'object' && schema !== null && 'description' in schema ? schema.description : undefined;
  return typeof description === 'string' ? description : undefined;
}

export function descriptionOfKey(error: SchemaError, key: string): string | undefined {
  const properties: Json | undefined = error.parentSchema?.properties;
  const description = properties === undefined ? undefined : getAt(properties, [key, 'description']);
  return typeof description === 'string' ? `${key}: ${description}` : undefined;
}
