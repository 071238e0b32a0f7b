import { readdirSync } from 'node:fs';
import path from 'node:path';
import { formatPath, type Json, type JsonPath } from '../../base/schema/json.ts';
import { readJsonSchema } from '../../base/schema/json-schema.ts';
import type { Problem } from '../../base/schema/problems.ts';
import { findFileProblems, readChecked } from '../../base/schema/schema-problems.ts';
import type { YamlDocument } from '../../base/schema/yaml-document.ts';
import type { ProjectPaths } from './project-paths.ts';

export type InputEntry =
  | string
  | { readonly path: string; readonly external?: boolean; readonly optional?: boolean };

export interface StageEntry {
  readonly when?: boolean | string;
  readonly matrix?: { readonly [variable: string]: string | readonly Json[] };
  readonly run?: string;
  readonly cmd?: readonly (string | number)[];
  readonly params?: readonly string[];
  readonly inputs?: readonly InputEntry[] | { readonly [name: string]: InputEntry };
  readonly outputs: readonly string[];
  readonly resume?: readonly string[];
  readonly variables?: readonly string[];
  readonly facts?: readonly string[];
  readonly tools?: readonly (string | readonly string[])[];
  readonly hermetic?: boolean;
  readonly resources?: {
    readonly cpu?: number | string;
    readonly memory?: number | string;
    readonly gpu?: number | string;
    readonly time?: number | string;
  };
  readonly executor?: 'local';
}

export interface PipelineContent {
  readonly version: 1;
  readonly profiles?: { readonly folder: string; readonly default: string; readonly schema?: string };
  /** Settings that say how or where this machine works, and change no result. */
  readonly machine?: readonly string[];
  readonly cache?: { readonly remote: string; readonly endpoint?: string; readonly region?: string };
  readonly schemas?: { readonly [glob: string]: string };
  readonly stages: { readonly [name: string]: StageEntry };
}

export interface PipelineFile {
  readonly document: YamlDocument;
  readonly content: PipelineContent;
}

/** Reads a pipeline file and checks it against its schema. @throws {ConfigurationError} with the place of every problem */
export function readPipelineFile(absolutePath: string, file: string): Promise<PipelineFile> {
  const schema = import('../../../schemas/pipeline.schema.json', { with: { type: 'json' } });
  return readChecked<PipelineContent>(absolutePath, file, 'pipeline', schema, describePipelinePath);
}

/** `stage "train": inputs[0]: `. */
function describePipelinePath(path: JsonPath): string {
  const [first, stage, ...rest] = path;
  if (first !== 'stages' || stage === undefined) return path.length === 0 ? '' : `${formatPath(path)}: `;
  return `stage "${stage}": ${rest.length === 0 ? '' : `${formatPath(rest)}: `}`;
}

/** Checks the files that match a glob under `schemas:` and are an input, or lie inside one. */
export async function findConfigurationProblems(
  pipeline: PipelineFile,
  inputs: ReadonlySet<string>,
  paths: ProjectPaths,
): Promise<Problem[]> {
  const entries = Object.entries(pipeline.content.schemas ?? {});
  if (entries.length === 0) return [];
  const { default: picomatch } = await import('picomatch');

  const problems: Problem[] = [];
  for (const [glob, schemaFile] of entries) {
    const { base } = picomatch.scan(glob);
    const matches = picomatch(glob);
    const files = listFiles(base, paths).filter((file) => matches(file) && isRead(file, inputs));
    const schema = await readJsonSchema(paths.absolute(schemaFile), schemaFile);
    for (const file of files) {
      problems.push(...(await findFileProblems(file, schema, paths.root)));
    }
  }
  return problems;
}

function isRead(file: string, inputs: ReadonlySet<string>): boolean {
  for (let part = file; part !== '.'; part = path.posix.dirname(part)) if (inputs.has(part)) return true;
  return false;
}

function listFiles(base: string, paths: ProjectPaths): string[] {
  if (paths.kindOf(base) === 'file') return [base];
  if (paths.kindOf(base) !== 'folder') return [];
  return readdirSync(paths.absolute(base), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.posix.join(base, path.relative(paths.absolute(base), entry.parentPath), entry.name))
    .sort();
}
