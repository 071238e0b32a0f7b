import { createHash } from 'node:crypto';
import path from 'node:path';
import { escapePattern } from '../../executors/slurm/job-options.ts';
import { renderJobScript } from '../../executors/slurm/job-script.ts';
import { nameJob } from '../../executors/slurm/job-state.ts';
import { BatchFolder } from './batch.ts';
import type { Dependency, PlannedBatch } from './grouping.ts';
import type { ClusterSettings } from './settings.ts';

/** What the scripts of one run share. */
export interface ScriptContext {
  readonly settings: ClusterSettings;
  /** The cache's folder of jobs. */
  readonly jobs: string;
  readonly projectRoot: string;
  /** Words that start the runner on a node: Node.js and the program. */
  readonly runner: readonly string[];
  /** The names of jobs that are known, by the tokens of their batches. */
  readonly jobIds: ReadonlyMap<string, string>;
}

/** The script of a batch, and how Slurm knows it by name. */
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

/** What all jobs of a mutex are called. Slurm looks at the jobs of one user in all projects, and it is this project's thing. */
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
