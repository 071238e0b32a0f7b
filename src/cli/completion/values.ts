import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import type { Argument, Command, Option } from 'commander';
import type { Plan } from '../../runner/plan/plan.ts';
import { isJsonObject, type Json } from '../../schema/json.ts';
import { readYamlFile } from '../../schema/yaml-document.ts';
import type { PipelineOptions } from '../load.ts';
import { findProjectRoot } from '../project.ts';
import { placeholderOf } from './context.ts';

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
    const { DATASETS } = await import('../../datasets/registry.ts');
    const words = DATASETS.map((one) => [one.name, one.title] as const);
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
  const { loadPlanForReading } = await import('../load.ts');
  const quiet = { isQuiet: true };
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
  const { listKeys } = await import('./keys.ts');
  const keys = listKeys(document);
  const equals = current.indexOf('=');
  if (equals === -1) return { words: keys.map(({ key, description }) => [`${key}=`, description]) };
  const prefix = current.slice(0, equals + 1);
  const known = keys.find(({ key }) => `${key}=` === prefix);
  if (known === undefined) return { words: [] };
  if (known.values.length > 0) return { words: known.values.map((value) => [`${prefix}${value}`, '']) };
  return known.isText ? { words: [], paths: 'files', pathPrefix: prefix } : { words: [] };
}
