import { readdirSync } from 'node:fs';
import path from 'node:path';
import { readJsonSchema } from '../../schema/json-schema.ts';
import type { Problem } from '../../schema/problems.ts';
import { findFileProblems } from '../../schema/schema-problems.ts';
import type { InstanceDraft } from './instances.ts';
import type { PipelineFile } from './pipeline-file.ts';
import type { ProjectPaths } from './project-paths.ts';

/**
 * Checks the configuration files that stages read against their schemas in `schemas:`: every file that matches a glob and is an input, or
 * lies inside one.
 */
export async function findConfigurationProblems(
  pipeline: PipelineFile,
  drafts: readonly InstanceDraft[],
  paths: ProjectPaths,
): Promise<Problem[]> {
  const entries = Object.entries(pipeline.content.schemas ?? {});
  if (entries.length === 0) return [];
  const inputs = new Set(drafts.flatMap(({ inputs }) => inputs.map((input) => input.path)));
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

/** Files below a folder of the project, sorted; for a file, the file itself. */
function listFiles(base: string, paths: ProjectPaths): string[] {
  if (paths.kindOf(base) === 'file') return [base];
  if (paths.kindOf(base) !== 'folder') return [];
  return readdirSync(paths.absolute(base), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.posix.join(base, path.relative(paths.absolute(base), entry.parentPath), entry.name))
    .sort();
}
