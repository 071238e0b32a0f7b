import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { hasErrorCode, ReproError } from '../../base/errors.ts';
import { suggestName } from '../../base/schema/closest-name.ts';
import { getAt, isJsonObject, type Json, type JsonObject, type JsonPath } from '../../base/schema/json.ts';
import { readJsonSchema } from '../../base/schema/json-schema.ts';
import { ConfigurationError, type Place, throwProblems } from '../../base/schema/problems.ts';
import { checkSchema, type SchemaSubject } from '../../base/schema/schema-problems.ts';
import { readYamlFile, type YamlDocument } from '../../base/schema/yaml-document.ts';
import type { PipelineFile } from './pipeline-file.ts';
import { applyOverrides, expandSettings, ProfileSettings, parseOverrides } from './profile-settings.ts';
import type { ProjectPaths } from './project-paths.ts';

/**
 * Reads a profile, applies the overrides, expands the references between its values, and checks the
 * result against the profiles' schema.
 *
 * @throws {ConfigurationError} with the place in the profile or the override for every problem
 */
export async function loadSettings(
  pipeline: PipelineFile,
  paths: ProjectPaths,
  options: SettingsOptions,
): Promise<ProfileSettings> {
  const { name } = options;
  const overrides = await parseOverrides(options.assignments);
  const { profiles } = pipeline.content;
  if (profiles === undefined && name !== undefined) {
    throw problemAt(`--profile ${name}`, `${pipeline.document.file} has no profiles.`);
  }
  const profile = name ?? profiles?.default ?? 'none';
  const known = profiles === undefined ? [] : await listProfiles(paths.absolute(profiles.folder));
  const schema =
    profiles?.schema === undefined
      ? undefined
      : await readJsonSchema(paths.absolute(profiles.schema), profiles.schema);
  const document =
    profiles && (await readProfile(pipeline, paths, { ...options, folder: profiles.folder, known }));
  const base = document?.value ?? {};
  if (!isJsonObject(base)) {
    throw problemAt(document?.positionOf([]) ?? profile, 'a profile must be a mapping of keys to values.');
  }
  const value = applyOverrides(base, overrides);
  const expanded = expandSettings(new ProfileSettings(profile, value, { document, overrides, schema }));
  throwProblems(expanded.problems);
  const { settings } = expanded;
  if (schema === undefined) return settings;
  const subject: SchemaSubject = {
    value: settings.value,
    place: (at, part) => settings.place(at, part),
    suggestKey: (at, key) => {
      const name = [...at, key].join('.');
      // All of what `--set` says tells more than its first unknown key.
      const given = overrides.map(({ path }) => path.join('.')).find((one) => one.startsWith(`${name}.`));
      return settings.suggest(given ?? name);
    },
  };
  throwProblems(await checkSchema(schema, subject));
  return settings;
}

interface SettingsOptions {
  readonly name: string | undefined;
  readonly assignments: readonly string[];
}

function problemAt(at: Place, message: string, fix?: string): ConfigurationError {
  return new ConfigurationError([{ at, message, fix }]);
}

async function readProfile(
  { content, document }: PipelineFile,
  paths: ProjectPaths,
  {
    folder,
    known,
    name: asked,
  }: SettingsOptions & { readonly folder: string; readonly known: readonly string[] },
): Promise<YamlDocument> {
  const name = asked ?? content.profiles?.default ?? '';
  if (!known.includes(name)) {
    const at = asked === undefined ? document.positionOf(['profiles', 'default']) : `--profile ${asked}`;
    throw problemAt(at, `there is no profile "${name}" in ${folder}.`, suggestName(name, known));
  }
  const read = (name: string) => {
    const file = path.posix.join(folder, `${name}.yaml`);
    return readYamlFile(paths.absolute(file), file);
  };
  const own = await read(name);
  if (!isJsonObject(own.value) || own.value.extends === undefined) return own;
  const parent = own.value.extends;
  const at = own.positionOf(['extends']);
  if (typeof parent !== 'string' || !known.includes(parent))
    throw problemAt(at, `there is no profile "${parent}" in ${folder}.`, suggestName(`${parent}`, known));
  const base = await read(parent);
  if (!isJsonObject(base.value) || base.value.extends === undefined)
    return extendProfile(own.value, own, base);
  throw problemAt(at, `profile "${parent}" extends another one itself.`, 'Extend that one.');
}

/** A mapping with the values of another one over its own, as in a JSON merge patch: null takes a key away. */
export function mergeSettings(parent: JsonObject, own: JsonObject): JsonObject {
  const merged = new Map<string, Json>(Object.entries(parent));
  for (const [key, value] of Object.entries(own)) {
    const before = merged.get(key);
    if (value === null) merged.delete(key);
    else
      merged.set(key, isJsonObject(value) ? mergeSettings(isJsonObject(before) ? before : {}, value) : value);
  }
  return Object.fromEntries(merged);
}

/** A profile that says `extends`, resolved. Each position is in the file that says the value. */
function extendProfile(own: JsonObject, document: YamlDocument, parent: YamlDocument): YamlDocument {
  const base = isJsonObject(parent.value) ? parent.value : {};
  const sayer = (path: JsonPath) =>
    getAt(own, path) === undefined && getAt(base, path) !== undefined ? parent : document;
  return {
    file: document.file,
    value: mergeSettings(base, { ...own, extends: null }),
    positionOf: (path, part) => sayer(path).positionOf(path, part),
    positionIn: (path, fragment) => sayer(path).positionIn(path, fragment),
  };
}

/** The names of the profiles in a folder. @throws {ReproError} `unreadable` */
export async function listProfiles(folder: string): Promise<string[]> {
  let names: string[];
  try {
    names = await readdir(folder);
  } catch (cause) {
    if (hasErrorCode(cause, 'ENOENT', 'ENOTDIR')) return [];
    throw new ReproError('unreadable', 'the profiles folder cannot be read.', { where: folder, cause });
  }
  return names.flatMap((name) => (name.endsWith('.yaml') ? [path.basename(name, '.yaml')] : [])).sort();
}
