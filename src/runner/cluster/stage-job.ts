import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { continueExitCode } from '../../executors/slurm/job-script.ts';
import { nameJob } from '../../executors/slurm/job-state.ts';
import { type ContinuedTask, continueAfterTimeLimit, noteStart } from './continuation.ts';
import { type InstanceEnd, type InstanceOnNodeOptions, runOnNode } from './instance-on-node.ts';
import { refusalFileOf, type TaskEnd, writeTaskEnd } from './task-end.ts';
import { TaskEventWriter } from './task-events.ts';

export type StageJobOptions = Omit<InstanceOnNodeOptions, 'onEvent' | 'onStart'>;

type End = TaskEnd extends infer One
  ? One extends TaskEnd
    ? Omit<One, 'version' | 'job' | 'node'>
    : never
  : never;

/**
 * What a job runs on its node: one instance. What becomes of it is left in the folder of its batch.
 *
 * @returns the exit code of the job: what depends on it only runs after 0; after `continueExitCode` its script puts it back into the queue
 */
export async function runStageJob(options: StageJobOptions): Promise<number> {
  const { folder, index, environment, plan, task } = options;
  const events = new TaskEventWriter(folder.eventsFile(index));
  // Of an attempt that Slurm has ended.
  const endFile = folder.endFile(index);
  for (const file of [endFile, refusalFileOf(endFile)]) await fs.rm(file, { force: true });
  const continued: ContinuedTask = {
    ...{ folder, index, id: task.id },
    resume: (plan.instances.get(task.id)?.resume ?? []).map((one) => path.resolve(plan.projectRoot, one)),
  };
  const ended = await runOnNode({
    ...options,
    onEvent: (event) => events.write(event),
    onStart: () => noteStart(continued),
  });
  const end = await conclude(ended, continued, options, events);
  const job = nameOfThisJob(environment);
  await writeTaskEnd(endFile, { ...end, version: 1, job, node: os.hostname() });
  if (end.kind === 'done' || end.kind === 'hit') return 0;
  return end.kind === 'interrupted' && end.because === 'time' ? continueExitCode : 1;
}

async function conclude(
  end: InstanceEnd,
  task: ContinuedTask,
  { signals, settings }: StageJobOptions,
  events: TaskEventWriter,
): Promise<End> {
  if (end.kind !== 'interrupted' || !signals.isTimeUp()) return end;
  const limit = settings.continuations;
  const continued = await continueAfterTimeLimit(task, limit);
  if (continued.kind === 'ends') {
    return { kind: 'failed', code: continued.code, text: `the job's time is over${continued.why}` };
  }
  const text = `the job's time is over; it goes back into the queue with what the stage has saved (${continued.count} of ${limit})`;
  events.write({ kind: 'note', id: task.id, level: 'note', text });
  return { kind: 'interrupted', because: 'time' };
}

/** `12`, or `12_3` in an array. */
function nameOfThisJob({
  SLURM_ARRAY_JOB_ID: array,
  SLURM_ARRAY_TASK_ID: task,
  SLURM_JOB_ID: id,
}: NodeJS.ProcessEnv): string {
  return array === undefined ? (id ?? '0') : nameJob(array, Number(task));
}
