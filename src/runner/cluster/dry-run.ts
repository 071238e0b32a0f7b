import type { Plan } from '../plan/plan.ts';
import { cacheFolderOf } from '../store/cache-folder.ts';
import { describeBatch } from './batch-script.ts';
import { groupIntoBatches } from './grouping.ts';
import { mutexOf, requestOf, staysLocal } from './instance-request.ts';
import type { ClusterSettings } from './settings.ts';

/** A script that a run would submit. */
export interface DryRunScript {
  readonly stage: string;
  readonly ids: readonly string[];
  /** As it would be, with the names of stages where there would be the ids of jobs. */
  readonly script: string;
}

/** What Slurm allows by default; a dry run asks nobody. */
const arraySizeByDefault = 1001;

/**
 * The scripts that a run would submit for these instances, in order. Instances that wait for one that stays on this machine would be
 * submitted only after that one.
 *
 * @param ids what would run, in plan order
 */
export function renderScripts(
  plan: Plan,
  ids: readonly string[],
  { settings, runner }: { readonly settings: ClusterSettings; readonly runner: readonly string[] },
): DryRunScript[] {
  const instances = ids.flatMap((id) => plan.instances.get(id) ?? []);
  const submitted = instances.filter((one) => !staysLocal(one, settings));
  const names = new Set(submitted.map(({ id }) => id));
  const candidates = submitted.map((one) => ({
    id: one.id,
    stage: one.stage,
    request: requestOf(one, settings),
    mutex: mutexOf(one),
    after: (plan.dependencies.get(one.id) ?? []).filter((id) => names.has(id)),
  }));
  const counts = new Map<string, number>();
  let created = 0;
  const batches = groupIntoBatches(candidates, new Map(), settings.arraySize ?? arraySizeByDefault, () =>
    String(created++),
  );
  const named = batches.map(({ token, stage }) => {
    const count = (counts.get(stage) ?? 0) + 1;
    counts.set(stage, count);
    return [token, count === 1 ? stage : `${stage}-${count}`] as const;
  });
  const jobIds = new Map(named.map(([token, name]) => [token, `<${name}>`]));
  const context = { settings, runner, jobs: cacheFolderOf(plan).jobs, projectRoot: plan.projectRoot, jobIds };
  return batches.map((batch, i) => {
    const token = named[i]?.[1] ?? batch.token;
    return {
      stage: batch.stage,
      ids: batch.tasks.map(({ id }) => id),
      script: describeBatch(context, { ...batch, token }).script,
    };
  });
}
