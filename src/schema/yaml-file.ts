import path from 'node:path';
import { ReproError } from '../errors.ts';
import type { Json } from './json.ts';
import { type JsonSchema, readJsonSchema } from './json-schema.ts';
import type { PassedChecks } from './passed-checks.ts';
import { ConfigurationError, type Problem, throwProblems } from './problems.ts';
import { checkSchema } from './schema-problems.ts';
import { parseYaml, readTextFile, type YamlDocument } from './yaml-document.ts';

export interface YamlFileToValidate {
  /** Relative to the project; also its name in messages. */
  readonly path: string;
  /** The JSON Schema's file, relative to the project. */
  readonly schema: string;
  readonly projectRoot: string;
}

/**
 * Reads a YAML file and holds it against a JSON Schema.
 *
 * @returns its value
 * @throws {ConfigurationError} with file, line and column of everything that is wrong
 */
export async function validateYamlFile({
  path: file,
  schema,
  projectRoot,
}: YamlFileToValidate): Promise<Json> {
  const rules = await readJsonSchema(path.resolve(projectRoot, schema), schema);
  const document = await parseYaml(await readTextFile(path.resolve(projectRoot, file), file), file);
  throwProblems(await checkDocument(document, rules));
  return document.value;
}

/** As `validateYamlFile`, for one file of many: what is wrong comes back as a list. */
export async function findFileProblems(
  file: string,
  rules: JsonSchema,
  { projectRoot, passed }: { readonly projectRoot: string; readonly passed: PassedChecks },
): Promise<readonly Problem[]> {
  try {
    const text = await readTextFile(path.resolve(projectRoot, file), file);
    if (passed.has(rules.text, text)) return [];
    const problems = await checkDocument(await parseYaml(text, file), rules);
    if (problems.length === 0) passed.add(rules.text, text);
    return problems;
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems;
    if (!(error instanceof ReproError)) throw error;
    return [{ at: error.where ?? file, message: error.message, fix: error.fix }];
  }
}

function checkDocument(document: YamlDocument, rules: JsonSchema): Promise<Problem[]> {
  return checkSchema(rules, {
    value: document.value,
    place: (at, part) => document.positionOf(at, part),
  });
}
