import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { ReproError } from '../../base/errors.ts';
import { getAt, type JsonPath } from '../../base/schema/json.ts';
import { formatPlace, type Problem, throwProblems } from '../../base/schema/problems.ts';
import { readYamlFile, type YamlDocument } from '../../base/schema/yaml-document.ts';
import { readClaims } from '../../report/claims/claim.ts';
import type { Plan, StageInstance } from '../../runner/plan/plan.ts';
import { modelsFolder } from './model-check.ts';

const claimsFile = 'configs/claims.yaml';

/**
 * Checks before anything runs what only the last stage reads: the claims, beyond their schema, and the names in the question.
 * Otherwise a mistake would be found only after all trainings.
 *
 * @throws {ConfigurationError} with each problem and its place
 */
export async function checkReport(plan: Plan, reports: readonly StageInstance[]): Promise<void> {
  const problems: Problem[] = [];
  for (const instance of reports) {
    problems.push(...(await findClaimProblems(plan, instance)), ...(await findQuestionProblems(plan)));
  }
  throwProblems(problems);
}

async function findClaimProblems(plan: Plan, { inputs }: StageInstance): Promise<Problem[]> {
  const file = claimsFile;
  if (!inputs.some(({ path }) => path === file)) return [];
  const document = await readDocument(plan, file);
  const fix = 'docs/claims.md explains every key.';
  try {
    const files = await readdir(path.resolve(plan.projectRoot, modelsFolder));
    const ids = files.filter((name) => name.endsWith('.yaml')).map((name) => path.basename(name, '.yaml'));
    const names = await Promise.all(ids.sort().map((id) => publishedNameOf(plan, id)));
    const models = new Set(names.filter((name) => name !== null));
    readClaims(
      document.value,
      (field, problem) => {
        const where = formatPlace(document.positionOf(toPath(field)));
        throw new ReproError('configuration', `field "${field}" ${problem}`, { where, fix });
      },
      models,
    );
    return [];
  } catch (error) {
    if (!(error instanceof ReproError)) throw error;
    return [{ at: error.where ?? file, message: error.message, fix: error.fix }];
  }
}

/** `claims[3].published.share` as a path. */
function toPath(field: string): JsonPath {
  return (field.match(/[^.[\]]+/g) ?? []).map((step) => (/^\d+$/.test(step) ? Number(step) : step));
}

/** Null if nothing was published of the model, or its file has an error: it may be work in progress, and not in this run. */
async function publishedNameOf(plan: Plan, id: string): Promise<string | null> {
  try {
    const { value } = await readDocument(plan, path.posix.join(modelsFolder, `${id}.yaml`));
    const name = getAt(value, ['published', 'name']);
    return typeof name === 'string' ? name : null;
  } catch (error) {
    if (!(error instanceof ReproError)) throw error;
    return null;
  }
}

async function findQuestionProblems(plan: Plan): Promise<Problem[]> {
  const { settings, places } = plan;
  const question = ['report', 'question'];
  const [baseline, against] = ['baseline', 'against'].map((key) => getAt(settings, [...question, key]));
  const [models, name] = [getAt(settings, ['models']), getAt(settings, ['dataset', 'name'])];
  const problems: Problem[] = [];
  const expectModel = (key: readonly string[], named: unknown) => {
    if (typeof named !== 'string' || !Array.isArray(models) || models.includes(named)) return;
    problems.push({
      at: places.place([...question, ...key]),
      message: `report.question.${key.join('.')}: ${named} is not among the models, ${models.join(', ')}.`,
      fix: 'Add it to `models:`, name one of them, or ask nothing: `question: null`.',
    });
  };
  expectModel(['baseline'], baseline);
  const arms = Object.entries(against ?? {});
  // A pipeline of one's own may have no such folder.
  const known = arms.length === 0 ? [] : await readdir(path.resolve(plan.projectRoot, modelsFolder));
  for (const [arm, named] of arms) {
    // An arm that this run leaves out needs nothing; a name that no model has is a slip.
    const isArm = Array.isArray(models) && models.includes(arm);
    if (isArm || !known.includes(`${arm}.yaml`)) expectModel(['against', arm], isArm ? named : arm);
  }
  const where = [...question, 'second', 'classes'];
  const names = getAt(settings, where);
  if (!Array.isArray(names)) return problems;
  const file = `configs/datasets/${String(name)}.yaml`;
  const classes = getAt((await readDocument(plan, file)).value, ['classes']);
  const unknown = names.filter((one) => Array.isArray(classes) && !classes.includes(one));
  if (unknown.length > 0)
    problems.push({
      at: places.place(where),
      message: `report.question.second.classes: ${unknown.join(', ')} ${unknown.length === 1 ? 'is' : 'are'} not among the classes.`,
      fix: `${file} lists them: ${(classes as unknown[]).join(', ')}.`,
    });
  return problems;
}

function readDocument(plan: Plan, file: string): Promise<YamlDocument> {
  return readYamlFile(path.resolve(plan.projectRoot, file), file);
}
