import process from 'node:process';
import { loadPlan, type PlanRequest } from '../runner/pipeline/load.ts';
import type { Plan } from '../runner/plan.ts';
import { formatPlace } from '../schema/source-position.ts';
import { factsOf } from './doctor/facts.ts';
import { findProjectRoot } from './project.ts';

/** The options of every command that reads the pipeline, as commander gives them. */
export interface PipelineOptions {
  readonly project?: string;
  readonly profile?: string;
  readonly set: readonly string[];
}

/** Loads the graph that the options select. */
export function loadSelectedPlan(options: PipelineOptions, onRead?: PlanRequest['onRead']): Promise<Plan> {
  const projectRoot = findProjectRoot(options.project ?? process.cwd());
  return loadPlan({
    projectRoot,
    profile: options.profile,
    set: options.set,
    knownFacts: Object.keys(factsOf(projectRoot)),
    onRead,
  });
}

/**
 * As `loadSelectedPlan`, for commands that run stages: also checks the plan's models, and prints problems in files that the plan does not
 * need to stderr.
 */
export async function loadCheckedPlan(
  options: PipelineOptions,
  onRead?: PlanRequest['onRead'],
): Promise<Plan> {
  const plan = await loadSelectedPlan(options, onRead);
  for (const { at, message } of plan.warnings) {
    process.stderr.write(
      typeof at === 'string' && at.startsWith('--set ')
        ? `! ${at}  ${message}\n`
        : `! ${formatPlace(at)}  ${message} Profile ${plan.profile} does not use this file, so it is ignored.\n`,
    );
  }
  await (await import('./run/model-check.ts')).checkModels(plan);
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

/** Prints the document of `--json`. */
export function printJson(document: object): void {
  process.stdout.write(`${JSON.stringify(document, null, 2)}\n`);
}
