import process from 'node:process';
import { loadPlan, type PlanRequest } from '../runner/plan/load.ts';
import type { Plan } from '../runner/plan/plan.ts';
import { formatPlace } from '../schema/problems.ts';
import { factsOf } from './doctor/facts.ts';
import { printWarning } from './lines.ts';
import { findProjectRoot } from './project.ts';
import { toOneLine } from './view/safe-text.ts';

/** The options of every command that reads the pipeline, as commander gives them. */
export interface PipelineOptions {
  readonly project?: string;
  readonly profile?: string;
  readonly set: readonly string[];
}

/** Loads the graph that the options select. */
export function loadSelectedPlan(options: PipelineOptions, onRead?: PlanRequest['onRead']): Promise<Plan> {
  return loadPlan({ ...requestOf(options), onRead });
}

/**
 * As `loadSelectedPlan`, for commands that run no stage and put nothing in the place of an output: problems with these places do not stop
 * them.
 *
 * @param options.isQuiet whether not even a warning is wanted, as by completion
 */
export async function loadPlanForReading(
  options: PipelineOptions,
  { isQuiet = false }: { readonly isQuiet?: boolean } = {},
): Promise<Plan> {
  const plan = await loadPlan({ ...requestOf(options), isForReading: true });
  const misplaced = plan.misplaced ?? [];
  const [first] = misplaced;
  if (first !== undefined && !isQuiet) {
    const others = new Set(misplaced.map(({ at }) => formatPlace(at))).size - 1;
    const more = others === 0 ? '' : ` (and ${others} more)`;
    printWarning(
      `${formatPlace(first.at)}  ${toOneLine(first.message)} \`repro run\` is refused because of that${more}.`,
    );
  }
  return plan;
}

function requestOf({ project, profile, set }: PipelineOptions): PlanRequest {
  const projectRoot = findProjectRoot(project ?? process.cwd());
  return { projectRoot, profile, set, knownFacts: Object.keys(factsOf(projectRoot)) };
}

/**
 * As `loadSelectedPlan`, for commands that run stages: also checks the plan's models and what its report reads, and prints warnings to
 * stderr.
 */
export async function loadCheckedPlan(
  options: PipelineOptions,
  onRead?: PlanRequest['onRead'],
): Promise<Plan> {
  const plan = await loadSelectedPlan(options, onRead);
  for (const { at, message } of plan.warnings) {
    process.stderr.write(`! ${formatPlace(at)}  ${message}\n`);
  }
  await (await import('./run/model-check.ts')).checkModels(plan);
  // Only where there is a report: what checks it takes a third of the time of a run with nothing to do to load.
  const reports = [...plan.instances.values()].filter(
    ({ command }) => command.kind === 'module' && command.path === 'stages/report.ts',
  );
  if (reports.length > 0) await (await import('./run/report-check.ts')).checkReport(plan, reports);
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
