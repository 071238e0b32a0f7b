import type { Baseline, RunFacts } from '../baseline/baseline.ts';
import { baselinePathOf, nameRun } from '../baseline/baseline.ts';
import { listSettingDifferences } from '../baseline/changes.ts';
import { quoteWords } from '../files/shell-words.ts';
import { flattenSettings } from '../results/run-file.ts';
import type { Plan } from '../runner/plan/plan.ts';
import { getAt, type Json } from '../schema/json.ts';
import { listSome } from '../text.ts';
import type { CheckedItem, CheckedSection } from './check-group.ts';
import { buildModel } from './model-check.ts';
import { listModules, trainModule } from './stages.ts';

/** Settings of a training that a model's file and the profile decide; the data decide the others. */
const decided = (key: string): boolean =>
  /^(network|training)\./.test(key) && key !== 'network.input' && key !== 'network.classes';

/**
 * Whether a committed baseline is of the models, seeds and settings that the profile and the models' files have now. It reads no data and
 * no results; that code computes the same numbers is another question, which only a run answers.
 */
export async function checkConfiguration(plan: Plan, baseline: Baseline): Promise<CheckedSection> {
  const { profile } = plan;
  const file = baselinePathOf(profile);
  const left = new Map(baseline.runs.map((run) => [nameRun(run), run]));
  const items: CheckedItem[] = [];
  for (const { matrix, inputs, params } of listModules(plan, trainModule)) {
    const name = nameRun({ model: String(matrix.model), seed: Number(matrix.seed) });
    const run = left.get(name);
    left.delete(name);
    const problem =
      run === undefined
        ? `missing in ${file}`
        : await findDifferences(
            plan,
            run,
            inputs.find((one) => one.name === 'model')?.path ?? '',
            params.train ?? {},
          );
    items.push(itemOf(name, problem));
  }
  for (const name of left.keys()) items.push(itemOf(name, 'the profile has no such run'));
  const bad = items.filter(({ state }) => state === 'failed');
  return {
    document: {
      kind: 'configuration',
      profile,
      file,
      runs: items.map(({ name, state, text }) => ({ run: name, state, text })),
    },
    group: {
      title: `configuration of the baseline of profile ${profile}`,
      items,
      rows: bad,
      isGood: bad.length === 0,
      summary:
        bad.length === 0
          ? `profile ${profile}: ${file} is of this configuration`
          : `profile ${profile}: ${bad.length} of ${items.length} runs in ${file} are not of this configuration`,
      remedy: [
        `make them again: ./repro run --profile ${quoteWords([profile])} && ./repro baseline update --profile ${quoteWords([profile])}`,
      ],
    },
  };
}

function itemOf(name: string, problem: string | null): CheckedItem {
  return problem === null
    ? { name, state: 'ok', word: 'ok', text: 'the same settings' }
    : { name, state: 'failed', word: 'differs', text: problem };
}

/** @returns what differs, in words; null if nothing does */
async function findDifferences(
  plan: Plan,
  run: RunFacts,
  modelFile: string,
  overrides: Json,
): Promise<string | null> {
  const { model } = await buildModel(plan, modelFile, overrides);
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
