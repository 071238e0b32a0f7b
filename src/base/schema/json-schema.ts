import path from 'node:path';
import type { ErrorObject, ValidateFunction } from 'ajv';
import { messageOf, ReproError } from '../errors.ts';
import { readRegular } from '../files/regular-file.ts';
import { getAt, getOwn, isJsonObject, type Json, type JsonObject, type JsonPath } from './json.ts';

export type SchemaError = ErrorObject;

/** A JSON Schema (draft-07); compiled on first use. */
export class JsonSchema {
  readonly definition: JsonObject;
  /** Its name in messages. */
  readonly file: string;
  readonly #isOwn: boolean;
  #validate: ValidateFunction | undefined;

  /** @param isOwn whether it is one of `schemas/`: tests check these against the schema of schemas, which takes longer than compiling them */
  constructor(definition: JsonObject, file: string, isOwn = true) {
    this.definition = definition;
    this.file = file;
    this.#isOwn = isOwn;
  }

  /**
   * All errors of a value; empty if it is valid.
   *
   * @throws {ReproError} if the schema itself is not valid
   */
  async check(value: Json): Promise<readonly SchemaError[]> {
    this.#validate ??= await compile(this.definition, this.file, this.#isOwn);
    return this.#validate(value) ? [] : [...(this.#validate.errors ?? [])];
  }
}

/**
 * Reads a JSON Schema, with the schemas beside it that its `$ref`s name: `other.json#/properties/a`.
 *
 * @param file its name in messages
 * @throws {ReproError} if it cannot be read or is not JSON
 */
export async function readJsonSchema(absolutePath: string, file: string): Promise<JsonSchema> {
  const text = await readText(absolutePath, file);
  const definition = parseSchema(text.replaceAll(besides, '"$ref": "#/definitions/$1'), file);
  const definitions: Record<string, Json> = { ...Object(definition.definitions) };
  for (const [, name = ''] of text.matchAll(besides)) {
    const other = await readText(path.join(path.dirname(absolutePath), name), name);
    // What another file suggests does not apply here.
    definitions[name] ??= parseSchema(other, name, (key, value) => (key === 'default' ? undefined : value));
  }
  return new JsonSchema({ ...definition, definitions }, file, false);
}

const besides = /"\$ref":\s*"([\w.-]+\.json)#/g;

async function readText(absolutePath: string, file: string): Promise<string> {
  try {
    return (await readRegular(absolutePath)).toString();
  } catch (cause) {
    throw new ReproError('unreadable', 'this JSON Schema cannot be read.', { where: file, cause });
  }
}

function parseSchema(text: string, file: string, revive?: (key: string, value: Json) => unknown): JsonObject {
  let definition: Json;
  try {
    definition = JSON.parse(text, revive);
  } catch (cause) {
    throw invalid('is not JSON', file, cause);
  }
  if (isJsonObject(definition)) return definition;
  throw new ReproError('configuration', 'is not a JSON Schema: expected an object.', { where: file });
}

function invalid(what: string, where: string, cause: unknown): ReproError {
  return new ReproError('configuration', `${what}: ${messageOf(cause)}`, { where, cause });
}

/** Ajv's strict mode, so that a misspelt keyword in the schema itself is an error. */
async function compile(definition: JsonObject, file: string, isOwn: boolean): Promise<ValidateFunction> {
  const { Ajv } = (await import('ajv')).default;
  const ajv = new Ajv({
    allErrors: true,
    verbose: true,
    strict: true,
    validateSchema: !isOwn,
    // Branches of a oneOf may require keys that are described outside it.
    strictRequired: false,
    allowUnionTypes: true,
    // Each runs on a few files: optimising its code takes longer than running it.
    code: { optimize: false },
  });
  try {
    return ajv.compile(definition);
  } catch (cause) {
    throw invalid('is not a valid JSON Schema', file, cause);
  }
}

/** What a schema says about the value at a path, following `$ref`s inside the schema; undefined if it has no such key. */
export function findSubschema(schema: JsonSchema, path: JsonPath): JsonObject | undefined {
  let current: JsonObject | undefined = follow(schema.definition, schema.definition);
  for (const step of path) {
    if (current === undefined) return undefined;
    const next = getAt(current, typeof step === 'number' ? ['items'] : ['properties', step]);
    current = isJsonObject(next) ? follow(next, schema.definition) : undefined;
  }
  return current;
}

/** Every key that the schema names, dotted: `train`, `train.epochs`, … */
export function listKeys(schema: JsonSchema): string[] {
  const keys: string[] = [];
  const visit = (definition: JsonObject, prefix: string, depth: number): void => {
    const properties = getOwn(follow(definition, schema.definition) ?? {}, 'properties');
    // A schema may contain itself; settings are never more than eight levels deep.
    if (!isJsonObject(properties) || depth > 8) return;
    for (const [name, child] of Object.entries(properties)) {
      keys.push(prefix + name);
      if (isJsonObject(child)) visit(child, `${prefix}${name}.`, depth + 1);
    }
  };
  visit(schema.definition, '', 0);
  return keys;
}

function follow(definition: JsonObject, root: JsonObject): JsonObject | undefined {
  let current: Json | undefined = definition;
  // Bounded, since two references may point to each other.
  for (let hops = 0; hops < 16; hops += 1) {
    if (!isJsonObject(current)) return undefined;
    const reference: Json | undefined = getOwn(current, '$ref');
    if (typeof reference !== 'string' || !reference.startsWith('#/')) return current;
    const steps = reference.slice(2).split('/');
    current = getAt(
      root,
      steps.map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~')),
    );
  }
  return undefined;
}
