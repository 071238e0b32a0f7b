import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { hasErrorCode, ReproError } from '../../errors.ts';
import { suggestName } from '../../schema/closest-name.ts';
import { isJsonObject } from '../../schema/json.ts';
import { describeRequiredKeys, type JsonSchema, readJsonSchema } from '../../schema/json-schema.ts';
import type { ParsedDocuments } from '../../schema/parsed-documents.ts';
import type { PassedChecks } from '../../schema/passed-checks.ts';
import { ConfigurationError, type Problem, throwProblems } from '../../schema/problems.ts';
import { checkSchema } from '../../schema/schema-problems.ts';
import { readYamlFile, type YamlDocument } from '../../schema/yaml-document.ts';
import { applyOverrides, parseOverrides } from './overrides.ts';
import type { PipelineFile } from './pipeline-file.ts';
import { expandSettings, Settings } from './profile-settings.ts';
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
  {
    name,
    assignments,
    passed,
    documents,
  }: {
    readonly name: string | undefined;
    readonly assignments: readonly string[];
    readonly passed: PassedChecks;
    readonly documents: ParsedDocuments;
  },
): Promise<Settings> {
  const overrides = await parseOverrides(assignments);
  const { profiles } = pipeline.content;
  if (profiles === undefined && name !== undefined) {
    throw new ConfigurationError([
      { at: `--profile ${name}`, message: `${pipeline.document.file} has no profiles.` },
    ]);
  }
  const profile = name ?? profiles?.default ?? 'none';
  const known = profiles === undefined ? [] : await listProfiles(paths.absolute(profiles.folder));
  const schema =
    profiles?.schema === undefined ? undefined : await readProfileSchema(pipeline, paths, profiles.schema);
  const document =
    profiles === undefined
      ? undefined
      : await readProfile(pipeline, paths, {
          folder: profiles.folder,
          known,
          asked: name,
          schema,
          documents,
        });

  const base = document?.value ?? {};
  if (!isJsonObject(base)) {
    throw new ConfigurationError([
      { at: document?.positionOf([]) ?? profile, message: 'a profile must be a mapping of keys to values.' },
    ]);
  }
  const { value, problems } = applyOverrides(base, overrides);
  throwProblems(problems);
  const expanded = expandSettings(
    new Settings(profile, value, {
      document,
      overrides,
      schema,
      otherProfiles: known.filter((one) => one !== profile),
    }),
  );
  throwProblems(expanded.problems);
  const { settings } = expanded;
  if (schema !== undefined) throwProblems(await findSettingsProblems(settings, schema, passed));
  return settings;
}

function findSettingsProblems(
  settings: Settings,
  schema: JsonSchema,
  passed: PassedChecks,
): Promise<Problem[]> {
  return checkSchema(
    schema,
    {
      value: settings.value,
      place: (at, part) => settings.place(at, part),
      suggestKey: (at, key) => settings.suggest([...at, key].join('.')),
    },
    passed,
  );
}

async function readProfile(
  pipeline: PipelineFile,
  paths: ProjectPaths,
  {
    folder,
    known,
    asked,
    schema,
    documents,
  }: {
    readonly folder: string;
    readonly known: readonly string[];
    readonly asked: string | undefined;
    readonly schema: JsonSchema | undefined;
    readonly documents: ParsedDocuments;
  },
): Promise<YamlDocument> {
  const name = asked ?? pipeline.content.profiles?.default ?? '';
  if (!known.includes(name)) {
    throw new ConfigurationError([
      {
        at:
          asked === undefined ? pipeline.document.positionOf(['profiles', 'default']) : `--profile ${asked}`,
        message: `there is no profile "${name}" in ${folder}.`,
        fix: suggestName(name, known),
      },
    ]);
  }
  const file = path.posix.join(folder, `${name}.yaml`);
  return readYamlFile(paths.absolute(file), file, {
    expected: schema && describeRequiredKeys(schema),
    documents,
  });
}

async function readProfileSchema(
  pipeline: PipelineFile,
  paths: ProjectPaths,
  file: string,
): Promise<JsonSchema> {
  if (paths.kindOf(file) === 'file') return readJsonSchema(paths.absolute(file), file);
  throw new ConfigurationError([
    { at: pipeline.document.positionOf(['profiles', 'schema']), message: `there is no file "${file}".` },
  ]);
}

async function listProfiles(folder: string): Promise<string[]> {
  let names: string[];
  try {
    names = await readdir(folder);
  } catch (cause) {
    if (hasErrorCode(cause, 'ENOENT', 'ENOTDIR')) return [];
    throw new ReproError('unreadable', 'the profiles folder cannot be read.', {
      where: folder,
      cause,
    });
  }
  return names
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => name.slice(0, -'.yaml'.length))
    .sort();
}

/** Names under `lock:` that are not profiles: with a typo, a profile's records would silently not be updated. */
export async function findUnknownRecordProfiles(
  { content, document }: PipelineFile,
  paths: ProjectPaths,
): Promise<Problem[]> {
  const { lock = [], profiles } = content;
  if (lock.length === 0) return [];
  const at = (i: number) => document.positionOf(['lock', i]);
  if (profiles === undefined) {
    const fix = 'Leave out `lock:`, or name the folder of the profiles: `profiles:`.';
    return lock.map((_, i) => ({ at: at(i), message: 'lock: this pipeline has no profiles.', fix }));
  }
  const known = await listProfiles(paths.absolute(profiles.folder));
  return lock.flatMap((name, i) => {
    if (known.includes(name)) return [];
    const message = `lock: there is no profile "${name}": ${profiles.folder}/${name}.yaml does not exist.`;
    return [{ at: at(i), message, fix: () => suggestName(name, known) }];
  });
}
