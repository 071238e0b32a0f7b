import path from 'node:path';
import { findDataset } from '../datasets/registry.ts';
import { ReproError } from '../errors.ts';
import { quoteWords } from '../files/shell-words.ts';
import { readTrainedRun } from '../results/trained-run.ts';
import type { Plan } from '../runner/plan/plan.ts';
import { selectInstances } from '../runner/plan/selection.ts';
import { describeConfiguration, type RunRecord } from '../runner/store/records.ts';
import { getAt } from '../schema/json.ts';
import { readYamlFile } from '../schema/yaml-document.ts';
import { findLicence, findPlaceholder, licenceUrl, readCitation } from '../sharing/citation.ts';
import type { PublishedRun } from '../sharing/entity.ts';
import type { CardContent } from '../sharing/model-card.ts';
import { findResults } from './baseline.ts';
import { loadSelectedPlan, type PipelineOptions, pipelineArguments, type Warn } from './load-plan.ts';
import { stageNames } from './stages.ts';

/** Of the stages that are not up to date: the first ones explain the rest. */
const MOST_SHOWN = 5;

/** A run that can be shared: every stage is up to date. */
export interface FinishedRun extends PublishedRun {
  readonly plan: Plan;
}

/**
 * Reads what is needed to share a run.
 *
 * @param options `frames`: whether frames are to be shared, too
 * @param targets instances that are needed, with all that they depend on; default: everything
 * @throws {ReproError} `run-unfinished`, with the stages that are not up to date and the command that runs them; `licence-unknown` if the frames
 *   may not be shared
 */
export async function readFinishedRun(
  options: PipelineOptions & { readonly frames?: boolean },
  warn: Warn,
  targets?: (plan: Plan) => readonly string[],
): Promise<FinishedRun> {
  const plan = await loadSelectedPlan(options);
  const { profile, projectRoot, settings, trial } = plan;
  const citation = readCitation(
    (await readYamlFile(path.join(projectRoot, 'CITATION.cff'), 'CITATION.cff')).value,
  );
  const dataset = findDataset(String(getAt(settings, ['dataset', 'name'])));
  const simulated = getAt(settings, ['dataset', 'simulated']) === true;
  const known = simulated ? licenceUrl(citation.license) : findLicence(dataset.licence);
  if (options.frames === true && known === null) {
    const text = `the licence of ${dataset.title} (${dataset.licence}) does not say that frames made of its recordings may be shared.`;
    const fix = 'Leave out --frames: the crate then names the frames by their digest.';
    throw new ReproError('licence-unknown', text, { where: '--frames', fix });
  }
  const named = targets?.(plan);
  const { selected } = selectInstances(plan, { targets: named });
  const results = await findResults(plan, selected);
  if (results.kind === 'stale') {
    const { stale } = results;
    const lines = stale.slice(0, MOST_SHOWN).map(({ id, state, reasons }) => {
      return `  ${id}  ${reasons.map(({ text }) => text).join('; ') || state}`;
    });
    if (stale.length > MOST_SHOWN) lines.push(`  and ${stale.length - MOST_SHOWN} more`);
    const words = ['./repro', 'run', ...(named ?? []), ...pipelineArguments(options)];
    throw new ReproError('run-unfinished', ['stages of this run are not up to date:', ...lines].join('\n'), {
      fix: `Bring it up to date: ${quoteWords(words)}`,
    });
  }
  const placeholder = findPlaceholder(citation);
  if (placeholder !== null) warn(placeholder);
  const overrides = trial?.overrides ?? [];
  return {
    ...{ plan, citation, dataset, simulated },
    records: results.statuses.flatMap(({ record }) => record ?? []),
    configuration: describeConfiguration(trial === undefined ? { profile } : { profile, overrides }),
    command: quoteWords(['./repro', 'run', ...pipelineArguments({ profile, set: overrides })]),
    licence: known ?? dataset.licence,
  };
}

/** @throws {ReproError} `usage` if the pipeline has no such instance */
export function requireRecord({ records }: FinishedRun, id: string): RunRecord {
  const record = records.find((one) => one.id === id);
  if (record !== undefined) return record;
  throw new ReproError('usage', `this run has no "${id}".`, { where: 'pipeline.yaml' });
}

/** What the card of a trained network says. @param evaluation its instance, `evaluate@baseline,2020` */
export async function readCard(run: FinishedRun, evaluation: string): Promise<Omit<CardContent, 'weights'>> {
  const evaluated = requireRecord(run, evaluation);
  const record = requireRecord(run, evaluation.replace(stageNames.evaluate, stageNames.train));
  const [train, evaluate] = [folderOf(run.plan, record), folderOf(run.plan, evaluated)];
  const { model, seed } = record.parts.matrix;
  const of = { model: String(model), seed: Number(seed) };
  return { ...run, record, trained: await readTrainedRun({ train, evaluate }, of) };
}

/** The folder that a stage made. */
export function folderOf({ projectRoot }: Plan, { outputs }: RunRecord): string {
  return path.join(projectRoot, outputs[0]?.path ?? '');
}
