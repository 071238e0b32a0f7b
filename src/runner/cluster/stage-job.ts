import os from 'node:os';
import path from 'node:path';
import { continueExitCode } from '../../executors/slurm/job-script.ts';
import { type ContinuedTask, continueInQueue, noteStart } from './continuation.ts';
import { type InstanceEnd, type InstanceOnNodeOptions, runOnNode } from './instance-on-node.ts';
import { requestOf } from './instance-request.ts';
import { type TaskEnd, writeTaskEnd } from './task-end.ts';
import { TaskEventWriter } from './task-events.ts';
import { isEndOfTime, nameOfThisJob } from './this-job.ts';

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
  const continued: ContinuedTask = {
    ...{ folder, index },
    resume: (plan.instances.get(task.id)?.resume ?? []).map((one) => path.resolve(plan.projectRoot, one)),
  };
  const ended = await runOnNode({
    ...options,
    onEvent: (event) => events.write(event),
    onStart: () => noteStart(continued),
  });
  const end = await conclude(ended, continued, options, events);
  const job = nameOfThisJob(environment);
  await writeTaskEnd(folder.endFile(index), { ...end, version: 1, job, node: os.hostname() });
  if (end.kind === 'done' || end.kind === 'hit') return 0;
  return end.kind === 'interrupted' && end.because !== undefined ? continueExitCode : 1;
}

async function conclude(
  end: InstanceEnd,
  task: ContinuedTask,
  options: StageJobOptions,
  events: TaskEventWriter,
): Promise<End> {
  const { plan, settings, environment, signals } = options;
  const warnedAtMs = signals.warnedAtMs();
  if (end.kind !== 'interrupted' || warnedAtMs === null) return end;
  const note = (text: string): void =>
    events.write({ kind: 'note', id: options.task.id, level: 'note', text });
  const instance = plan.instances.get(options.task.id);
  const warnSeconds = instance === undefined ? null : requestOf(instance, settings).warnSeconds;
  if (!isEndOfTime(warnedAtMs, warnSeconds ?? 0, environment)) {
    note('it makes room for another job, and goes back into the queue with what the stage has saved');
    return { kind: 'interrupted', because: 'room' };
  }
  const limit = settings.continuations;
  const continued = await continueInQueue(task, limit);
  if (continued.kind === 'ends') {
    return { kind: 'failed', code: continued.code, text: `the job's time is over${continued.why}` };
  }
  note(
    `the job's time is over; it goes back into the queue with what the stage has saved (${continued.count} of ${limit})`,
  );
  return { kind: 'interrupted', because: 'time' };
}
