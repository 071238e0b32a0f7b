import { getAt, type JsonObject } from '../../base/schema/json.ts';
import { listSome } from '../../base/text.ts';
import { type Baseline, baselinePathOf, nameRun, type RunFacts } from '../../report/baseline/baseline.ts';
import { listSettingDifferences } from '../../report/baseline/exact-rules.ts';
import { flattenSettings } from '../../results/run-file.ts';
import type { Plan } from '../../runner/plan/plan.ts';
import { buildModel } from '../project/model-check.ts';
import { listModules, trainModule } from '../project/stages.ts';

/** Settings of a training that a model's file and the profile decide; the data decide the others. */
const decided = (key: string): boolean =>
  /^(network|training)\./.test(key) && key !== 'network.input' && key !== 'network.classes';

/**
 * Whether a committed baseline is of the models, seeds and settings that the profile and the models' files have now. It reads no data and
 * no results; that code computes the same numbers is another question, which only a run answers.
 *
 * @returns in what runs differ, in words, and how many runs there are
 */
export async function compareConfiguration(plan: Plan, baseline: Baseline) {
  const left = new Map(baseline.runs.map((run) => [nameRun(run), run]));
  const trainings = listModules(plan, trainModule);
  const differing: { name: string; text: string }[] = [];
  for (const { matrix, inputs, params } of trainings) {
    const name = nameRun({ model: String(matrix.model), seed: Number(matrix.seed) });
    const run = left.get(name);
    left.delete(name);
    const model = inputs.find((one) => one.name === 'model')?.path ?? '';
    const text =
      run === undefined
        ? `missing in ${baselinePathOf(plan.profile)}`
        : await findDifferences(plan, run, model, params);
    if (text !== null) differing.push({ name, text });
  }
  for (const name of left.keys()) differing.push({ name, text: 'the profile has no such run' });
  return { differing, runs: trainings.length + left.size };
}

/** @returns what differs, in words; null if nothing does */
async function findDifferences(
  plan: Plan,
  run: RunFacts,
  modelFile: string,
  params: JsonObject,
): Promise<string | null> {
  const { model } = await buildModel(plan, modelFile, params);
  const { network, training } = model;
  const now = flattenSettings({ network, training, frames: getAt(plan.settings, ['frames']) ?? {} });
  const before = new Map(Object.entries({ ...run.settings, 'training.epochs': run.epochs }));
  // The profile leaves out frame settings that are at their defaults.
  const kept = (key: string) => decided(key) || (now.has(key) && before.has(key));
  const of = (settings: ReadonlyMap<string, unknown>) =>
    Object.fromEntries([...settings].filter(([key]) => kept(key)));
  const differences = listSettingDifferences(of(before), of(now));
  if (differences.length === 0) return null;
  return listSome(
    differences.map(({ what, before: was, now: is }) => `${what}: ${was} → ${is}`),
    4,
  );
}
