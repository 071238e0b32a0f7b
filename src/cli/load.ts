import process from 'node:process';
import { loadPlan } from '../runner/pipeline/load.ts';
import type { Plan } from '../runner/plan.ts';
import { factsOf } from './facts.ts';
import { findProjectRoot } from './project.ts';

/** The options of every command that reads the pipeline, as commander gives them. */
export interface PipelineOptions {
  readonly project?: string;
  readonly profile?: string;
  readonly set: readonly string[];
}

/** Loads the graph that the options mean. */
export function loadSelectedPlan(options: PipelineOptions): Promise<Plan> {
  const projectRoot = findProjectRoot(options.project ?? process.cwd());
  return loadPlan({
    projectRoot,
    profile: options.profile,
    set: options.set,
    knownFacts: Object.keys(factsOf(projectRoot)),
  });
}

/** The same options as words, for a command line that a person can paste. */
export function pipelineArguments(options: PipelineOptions): string[] {
  return [
    ...(options.project === undefined ? [] : ['--project', options.project]),
    ...(options.profile === undefined ? [] : ['--profile', options.profile]),
    ...options.set.flatMap((assignment) => ['--set', assignment]),
  ];
}

/** Prints the one document of `--json`. */
export function printJson(document: object): void {
  process.stdout.write(`${JSON.stringify(document, null, 2)}\n`);
}
