import { existsSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { ReproError } from '../../base/errors.ts';
import { loadPlan } from '../../runner/plan/load.ts';
import type { Plan } from '../../runner/plan/plan.ts';
import { type StageSelection, selectInstances } from '../../runner/plan/selection.ts';
import { factsOf } from './facts.ts';
import { checkModels } from './model-check.ts';
import { listModules, reportModule } from './stages.ts';

/** The options of every command that reads the pipeline, as commander gives them. */
export interface PipelineOptions {
  readonly project?: string;
  readonly profile?: string;
  readonly set: readonly string[];
  /** Whether to print one JSON document, where the command can. */
  readonly json?: boolean;
}

/** The nearest folder, from `start` upwards, that contains a `pipeline.yaml`. */
export function findProjectRoot(start: string): string {
  for (let folder = path.resolve(start); ; ) {
    if (existsSync(path.join(folder, 'pipeline.yaml'))) return folder;
    const parent = path.dirname(folder);
    if (parent === folder) break;
    folder = parent;
  }
  throw new ReproError('no-pipeline', `no pipeline.yaml in ${start} or any folder above it`, {
    fix: 'Run repro inside the project, or name its folder: `repro --project DIR …`.',
  });
}

/** Loads the graph that the options select. */
export function loadSelectedPlan({ project, profile, set }: PipelineOptions): Promise<Plan> {
  const projectRoot = findProjectRoot(project ?? process.cwd());
  return loadPlan({ projectRoot, profile, set, knownFacts: Object.keys(factsOf({ projectRoot })) });
}

/** As `loadSelectedPlan`, for commands that run stages: also checks the plan's models, and what a selected report reads. */
export async function loadCheckedPlan(
  options: PipelineOptions,
  selection: StageSelection = {},
): Promise<Plan> {
  const plan = await loadSelectedPlan(options);
  await checkModels(plan);
  const { selected } = selectInstances(plan, selection);
  // Loaded only if there is a report: it would take a third of the time of a no-op run.
  const reports = listModules(plan, reportModule).filter(({ id }) => selected.has(id));
  if (reports.length > 0) await (await import('./report-check.ts')).checkReport(plan, reports);
  return plan;
}

/** The options as words of a command line that a person can paste. */
export function pipelineArguments(options: PipelineOptions): string[] {
  return [
    ...(options.project === undefined ? [] : ['--project', options.project]),
    ...(options.profile === undefined ? [] : ['--profile', options.profile]),
    ...options.set.flatMap((assignment) => ['--set', assignment]),
  ];
}
