import path from 'node:path';
import { ReproError } from '../errors.ts';
import { describeRequiredKeys, type JsonSchema } from './json-schema.ts';
import type { PassedChecks } from './passed-checks.ts';
import { ConfigurationError, type Problem } from './problems.ts';
import { checkSchema } from './schema-problems.ts';
import { parseYaml, readTextFile, type YamlDocument } from './yaml-document.ts';

/**
 * Checks a YAML file against a JSON Schema.
 *
 * @param file relative to the project; also its name in messages
 * @param passed values that need not be checked again
 * @returns every problem with its place; empty if the file is valid
 */
export async function findFileProblems(
  file: string,
  rules: JsonSchema,
  { projectRoot, passed }: { readonly projectRoot: string; readonly passed: PassedChecks },
): Promise<readonly Problem[]> {
  try {
    const text = await readTextFile(path.resolve(projectRoot, file), file);
    if (passed.has(rules.text, text)) return [];
    const problems = await checkDocument(await parseYaml(text, file, describeRequiredKeys(rules)), rules);
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
