import path from 'node:path';
import type { Dataset } from '../datasets/contract/dataset.ts';
import { findDataset } from '../datasets/registry.ts';
import { ReproError } from '../errors.ts';
import { quoteWords } from '../files/shell-words.ts';
import { readTrainedRun } from '../results/trained-run.ts';
import type { Plan } from '../runner/plan/plan.ts';
import { selectInstances } from '../runner/plan/selection.ts';
import { readStatus } from '../runner/run/status.ts';
import { nameConfiguration, type RunRecord } from '../runner/store/records.ts';
import { getAt } from '../schema/json.ts';
import { readYamlFile } from '../schema/yaml-document.ts';
import { type Citation, findLicence, licenceUrl, readCitation } from '../sharing/citation.ts';
import type { CardContent } from '../sharing/model-card.ts';
import { factsOf } from './facts.ts';
import { loadSelectedPlan, type PipelineOptions, pipelineArguments } from './load-plan.ts';
import { stageNames } from './stages.ts';

/** Of the stages that are not up to date: the first ones explain the rest. */
const MOST_SHOWN = 5;

/** A run that can be shared: every stage is up to date. */
export interface FinishedRun {
  readonly plan: Plan;
  /** By instance, in the order of the plan. */
  readonly records: ReadonlyMap<string, RunRecord>;
  /** `profile quick`, `profile quick with train.epochs=3`. */
  readonly configuration: string;
  /** The command that makes the run. */
  readonly command: string;
  readonly citation: Citation;
  readonly dataset: Dataset;
  readonly simulated: boolean;
  /** Licence of the recordings: an address, or words if unknown. */
  readonly licence: string;
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
  const statuses = await readStatus(plan, { facts: factsOf(projectRoot), selected });
  const stale = statuses.filter(({ state }) => state !== 'fresh');
  if (stale.length > 0) {
    const lines = stale.slice(0, MOST_SHOWN).map(({ id, state, reasons }) => {
      return `  ${id}  ${reasons.map(({ text }) => text).join('; ') || state}`;
    });
    if (stale.length > MOST_SHOWN) lines.push(`  and ${stale.length - MOST_SHOWN} more`);
    const words = ['./repro', 'run', ...(named ?? []), ...pipelineArguments(options)];
    throw new ReproError('run-unfinished', ['this run is not finished:', ...lines].join('\n'), {
      fix: `Bring it up to date: ${quoteWords(words)}`,
    });
  }
  const overrides = trial?.overrides;
  return {
    ...{ plan, citation, dataset, simulated },
    records: new Map(statuses.flatMap(({ id, record }) => (record === null ? [] : [[id, record] as const]))),
    configuration: `profile ${nameConfiguration({ profile, ...(overrides === undefined ? {} : { overrides }) })}`,
    command: quoteWords(['./repro', 'run', ...pipelineArguments({ profile, set: overrides ?? [] })]),
    licence: known ?? dataset.licence,
  };
}

/** @throws {ReproError} `usage` if the pipeline has no such instance */
export function requireRecord({ records }: FinishedRun, id: string): RunRecord {
  const record = records.get(id);
  if (record !== undefined) return record;
  throw new ReproError('usage', `this run has no "${id}".`, { where: 'pipeline.yaml' });
}

/** What the card of a trained network says. @param evaluation its instance, `evaluate@baseline,2020` */
export async function readCard(run: FinishedRun, evaluation: string): Promise<Omit<CardContent, 'weights'>> {
  const { plan, dataset: data, citation, configuration } = run;
  const evaluated = requireRecord(run, evaluation);
  const record = requireRecord(run, evaluation.replace(stageNames.evaluate, stageNames.train));
  const [train, evaluate] = [folderOf(plan, record), folderOf(plan, evaluated)];
  const { model, seed } = record.parts.matrix;
  const of = { model: String(model), seed: Number(seed) };
  const trained = await readTrainedRun({ train, evaluate }, of);
  return { trained, record, configuration, data, citation };
}

/** The folder that a stage made. */
export function folderOf({ projectRoot }: Plan, { outputs }: RunRecord): string {
  return path.join(projectRoot, outputs[0]?.path ?? '');
}
