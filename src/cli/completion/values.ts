import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import type { Argument, Command, Option } from 'commander';
import { findProjectRoot, loadPlanForReading, type PipelineOptions } from '../../apps/load-plan.ts';
import { listDatasetNames } from '../../apps/option-choices.ts';
import type { Plan } from '../../runner/plan/plan.ts';
import { isJsonList, isJsonObject, type Json, type JsonObject } from '../../schema/json.ts';
import { readYamlFile } from '../../schema/yaml-document.ts';
import { placeholderOf } from './answer.ts';

/** Words that fit, and whether paths fit, too. */
export interface Values {
  readonly words: readonly (readonly [word: string, description: string])[];
  readonly paths?: 'files' | 'folders';
  /** Of the current word, what comes before the path. */
  readonly pathPrefix?: string;
}

/**
 * What fits as the value of an option or an argument.
 *
 * @param current what is typed of it
 * @throws if the project cannot be read
 */
export async function findValues(
  of: Option | Argument,
  command: Command,
  current: string,
  options: PipelineOptions,
): Promise<Values> {
  const choices = of.argChoices ?? [];
  if (choices.length > 0) return { words: choices.map((one) => [one, '']) };
  const isOption = 'flags' in of;
  const placeholder = placeholderOf(of);
  if (isOption && of.long === '--profile') return { words: await listProfiles(options) };
  if (isOption && of.long === '--set') return findSettings(current, options);
  if (isOption && of.long === '--plan') return { words: await listModels(options), paths: 'files' };
  if (!isOption && placeholder === 'name' && command.parent?.name() === 'data') {
    const words = await listDatasetNames();
    return command.name() === 'show' ? { words, paths: 'files' } : { words };
  }
  switch (placeholder) {
    case 'stage':
      return { words: await listStages(current, options) };
    case 'run-a':
    case 'run-b':
      return { words: await listRuns(options) };
    case 'source':
      return { words: await listStages(current, options).catch(() => []), paths: 'files' };
    case 'file':
      return { words: [], paths: 'files' };
    case 'dir':
    case 'folder':
      return { words: [], paths: 'folders' };
    default:
      return { words: [] };
  }
}

/** Stages, and instances once the word has an `@` or is a whole stage's name. */
async function listStages(current: string, options: PipelineOptions): Promise<[string, string][]> {
  const plan = await loadLeniently(options);
  const instances = [...plan.instances.values()];
  const stages = [...new Set(instances.map((one) => one.stage))];
  const at = current.indexOf('@');
  const stage = at === -1 ? current : current.slice(0, at);
  const ofStage = instances.filter((one) => one.stage === stage && one.id !== stage);
  const ids = ofStage.map((one): [string, string] => [one.id, '']);
  if (at !== -1) return ids;
  const counts = (name: string): string => {
    const count = instances.filter((one) => one.stage === name && one.id !== name).length;
    return count === 0 ? '' : `${count} instance${count === 1 ? '' : 's'}`;
  };
  return [...stages.map((name): [string, string] => [name, counts(name)]), ...ids];
}

/** What `compare` takes, except what only records know. */
async function listRuns(options: PipelineOptions): Promise<[string, string][]> {
  const plan = await loadLeniently(options);
  const evaluations = [...plan.instances.values()].filter(({ stage }) => stage === 'evaluate');
  const models = new Set(evaluations.map(({ matrix }) => String(matrix.model)));
  return [
    ['last', 'the last runs of the profile'],
    ['lock', 'the committed records'],
    ...[...models].map((model): [string, string] => [model, '']),
    ...evaluations.map(({ id }): [string, string] => [id.replace(/^evaluate@/, ''), '']),
    ...(await listProfiles(options)),
  ];
}

/** With the default values if those given do not fit together yet. */
async function loadLeniently(options: PipelineOptions): Promise<Plan> {
  const quiet = (): void => {};
  try {
    return await loadPlanForReading(options, quiet);
  } catch {
    return loadPlanForReading({ ...options, set: [] }, quiet);
  }
}

async function listProfiles(options: PipelineOptions): Promise<[string, string][]> {
  const root = findProjectRoot(options.project ?? process.cwd());
  const profiles = await readProfilesEntry(root);
  const folder = typeof profiles.folder === 'string' ? profiles.folder : 'configs/profiles';
  return listYamlFiles(path.resolve(root, folder));
}

function listModels(options: PipelineOptions): Promise<[string, string][]> {
  const root = findProjectRoot(options.project ?? process.cwd());
  return listYamlFiles(path.join(root, 'configs/models')).catch(() => []);
}

async function listYamlFiles(folder: string): Promise<[string, string][]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.yaml')).sort();
  return names.map((name) => [name.slice(0, -'.yaml'.length), '']);
}

async function readProfilesEntry(root: string): Promise<{ readonly [key: string]: Json }> {
  const { value } = await readYamlFile(path.join(root, 'pipeline.yaml'), 'pipeline.yaml');
  const profiles = isJsonObject(value) ? value.profiles : undefined;
  return isJsonObject(profiles) ? profiles : {};
}

/** Keys of the profile with `=`; after it, the values that the schema lists, or paths. */
async function findSettings(current: string, options: PipelineOptions): Promise<Values> {
  const root = findProjectRoot(options.project ?? process.cwd());
  const { schema } = await readProfilesEntry(root);
  if (typeof schema !== 'string') return { words: [] };
  const document: Json = JSON.parse(await readFile(path.resolve(root, schema), 'utf8'));
  const keys = listKeys(document);
  const equals = current.indexOf('=');
  if (equals === -1) return { words: keys.map(({ key, description }) => [`${key}=`, description]) };
  const prefix = current.slice(0, equals + 1);
  const known = keys.find(({ key }) => `${key}=` === prefix);
  if (known === undefined) return { words: [] };
  if (known.values.length > 0) return { words: known.values.map((value) => [`${prefix}${value}`, '']) };
  return known.isText ? { words: [], paths: 'files', pathPrefix: prefix } : { words: [] };
}

/** A value that a profile may have, as its schema describes it. */
export interface Key {
  /** `train.epochs` */
  readonly key: string;
  readonly description: string;
  /** All values, if the schema lists them. */
  readonly values: readonly string[];
  readonly isText: boolean;
}

/** The keys of a JSON Schema's objects, without those that contain others, in its order. */
export function listKeys(schema: Json): Key[] {
  const found: Key[] = [];
  const visit = (at: Json | undefined, key: string, depth: number): void => {
    // A schema may refer to itself.
    if (depth > 8) return;
    const one = resolve(schema, at);
    const parts = [
      one,
      ...[one.allOf, one.anyOf, one.oneOf].flatMap((list) => (isJsonList(list) ? list : [])),
    ];
    const properties = parts.flatMap((part) => {
      const { properties: inner } = resolve(schema, part);
      return isJsonObject(inner) ? Object.entries(inner) : [];
    });
    if (properties.length === 0 && key !== '') found.push(describe(key, one));
    for (const [name, value] of properties) visit(value, key === '' ? name : `${key}.${name}`, depth + 1);
  };
  visit(schema, '', 0);
  return [...new Map(found.map((one) => [one.key, one])).values()];
}

function describe(key: string, schema: JsonObject): Key {
  const values = isJsonList(schema.enum) ? schema.enum : schema.type === 'boolean' ? [true, false] : [];
  return {
    key,
    description: typeof schema.description === 'string' ? (schema.description.split('. ', 1)[0] ?? '') : '',
    values: values.filter((value) => typeof value !== 'object').map(String),
    isText: schema.type === 'string' || (isJsonList(schema.type) && schema.type.includes('string')),
  };
}

/** Follows `$ref` within the document. */
function resolve(root: Json, at: Json | undefined): JsonObject {
  let one = at;
  for (let steps = 0; steps < 8 && isJsonObject(one) && typeof one.$ref === 'string'; steps += 1) {
    let target: Json | undefined = root;
    for (const name of one.$ref.replace(/^#\/?/, '').split('/')) {
      if (name !== '') target = isJsonObject(target) ? target[name] : undefined;
    }
    one = target;
  }
  return isJsonObject(one) ? one : {};
}
