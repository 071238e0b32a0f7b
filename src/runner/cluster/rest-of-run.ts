import type { Plan } from '../plan/plan.ts';
import type { SubmittedBatch } from './batch.ts';
import type { SubmittedRun } from './run-file.ts';

/** What is left of a run that goes on. */
export interface RestOfRun {
  readonly selected: ReadonlySet<string>;
  /** Those to which it matters that nothing has changed is no reason not to run. */
  readonly forced: ReadonlySet<string>;
}

/**
 * Selects what an earlier command was asked for and is still in the plan, without what was cancelled since, and what depends on that and
 * has no job of its own.
 *
 * @param batches the earliest first
 */
export function selectRest(
  { instances, dependencies }: Pick<Plan, 'instances' | 'dependencies'>,
  run: SubmittedRun,
  batches: readonly SubmittedBatch[],
): RestOfRun {
  /** Whether the latest job of an instance was told to run in any case. */
  const isJobForced = new Map(
    batches.flatMap(({ batch, folder }) =>
      batch.tasks.map(({ id, index }) => [id, folder.readTask(index)?.isForced === true] as const),
    ),
  );
  const unwanted = new Set(run.cancelled);
  for (const id of instances.keys()) {
    const waitsInVain = dependencies.get(id)?.some((one) => unwanted.has(one)) === true;
    if (waitsInVain && !isJobForced.has(id)) unwanted.add(id);
  }
  const selected = new Set(run.ids.filter((id) => instances.has(id) && !unwanted.has(id)));
  const forced = new Set([...selected].filter((id) => isJobForced.get(id) ?? run.forced.includes(id)));
  return { selected, forced };
}
