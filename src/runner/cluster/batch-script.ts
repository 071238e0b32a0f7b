import { createHash } from 'node:crypto';
import path from 'node:path';
import { escapePattern } from '../../executors/slurm/job-options.ts';
import { renderJobScript } from '../../executors/slurm/job-script.ts';
import { nameJob } from '../../executors/slurm/job-state.ts';
import { BatchFolder } from '../jobs/batch.ts';
import type { Plan } from '../plan/plan.ts';
import { cacheFolderOf } from '../store/cache-folder.ts';
import type { ClusterSettings } from './cluster-settings.ts';
import { type Dependency, groupIntoBatches, type PlannedBatch } from './grouping.ts';
import { mutexOf, requestOf, staysLocal } from './instance-request.ts';

/** The context of all scripts of one run. */
export interface ScriptContext {
  readonly settings: ClusterSettings;
  /** The cache's folder of jobs. */
  readonly jobs: string;
  readonly projectRoot: string;
  /** Words that start the runner on a node: Node.js and the program. */
  readonly runner: readonly string[];
  /** Ids of known jobs, by the tokens of their batches. */
  readonly jobIds: ReadonlyMap<string, string>;
}

/** The script of a batch, and the name and comment by which Slurm knows it. */
export function describeBatch(
  context: ScriptContext,
  planned: PlannedBatch,
): {
  readonly name: string;
  readonly comment: string;
  readonly script: string;
  readonly folder: BatchFolder;
} {
  const { settings, projectRoot, runner } = context;
  const { token, stage, request, mutex, isArray, tasks } = planned;
  const folder = new BatchFolder(path.join(context.jobs, token));
  const name = mutex === null ? `${stage}.${token}` : nameMutex(mutex, projectRoot);
  const comment = `repro:${token}`;
  const { arrayLimit: _, ...options } = request;
  const script = renderJobScript({
    options: {
      ...options,
      name,
      comment,
      array: isArray ? { indices: tasks.map(({ index }) => index), atOnce: planned.atOnce } : null,
      dependencies: [
        ...planned.dependencies.map((one) => writeDependency(one, context.jobIds)),
        // Jobs of one name, one after the other.
        ...(mutex === null ? [] : ['singleton']),
      ],
      logPattern: `${escapePattern(folder.root)}/slurm-${isArray ? '%a' : (tasks[0]?.index ?? 0)}.log`,
    },
    about: tasks.map(({ index, id }) => `${index}: ${id.replaceAll(/\p{Cc}/gu, ' ')}`),
    proofFile: folder.batchFile,
    environmentFile: folder.environmentFile,
    tasksFolder: path.join(folder.root, 'tasks'),
    claimFile: folder.claimFile,
    projectRoot,
    prelude: settings.prelude,
    command: [...settings.command, ...runner, 'stage-job', folder.root],
    ...(isArray ? {} : { index: tasks[0]?.index ?? 0 }),
  });
  return { name, comment, script, folder };
}

/** The name of all jobs with a mutex. It includes the project, since Slurm compares names over all projects of a user. */
function nameMutex(mutex: string, projectRoot: string): string {
  const project = createHash('sha256').update(projectRoot).digest('hex').slice(0, 8);
  return `mutex.${mutex}.${project}`;
}

function writeDependency(dependency: Dependency, jobIds: ReadonlyMap<string, string>): string {
  const job = jobIds.get(dependency.batch) ?? `<${dependency.batch}>`;
  switch (dependency.kind) {
    case 'whole':
      return `afterok:${job}`;
    case 'ended':
      return `afterany:${job}`;
    case 'same-index':
      return `aftercorr:${job}`;
    case 'task':
      return `afterok:${nameJob(job, dependency.index)}`;
  }
}

/** A script that a run would submit, for `--dry-run`. */
export interface DryRunScript {
  readonly stage: string;
  readonly ids: readonly string[];
  /** With names of stages instead of job ids. */
  readonly script: string;
}

/** Slurm's default; a dry run does not call Slurm. */
const arraySizeByDefault = 1001;

/**
 * The scripts that a run would submit for these instances, in order. An instance that depends on one that stays on this machine would be
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
