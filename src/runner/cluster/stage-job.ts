import { existsSync } from 'node:fs';
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { ReproError } from '../../errors.ts';
import { runLocally } from '../../executors/local.ts';
import { continueExitCode } from '../../executors/slurm/job-script.ts';
import { explainDiskError } from '../../files/disk-error.ts';
import type { Facts } from '../freshness/fingerprint.ts';
import { openSession, type Session, saveDigests } from '../freshness/session.ts';
import type { BatchFolder, BatchTask } from '../jobs/batch.ts';
import { hasEnded, readTaskEnd, type TaskEnd, writeTaskEnd } from '../jobs/task-end.ts';
import type { Plan, StageInstance } from '../plan/plan.ts';
import { findHostFile } from '../run/confinement.ts';
import type { RunEvent } from '../run/events.ts';
import { describeFailure, execute } from '../run/execution.ts';
import { type ExecutionContext, readRevision } from '../run/execution-context.ts';
import { Preparation, type Prepared } from '../run/preparation.ts';
import { findChangedParts } from './cluster-freshness.ts';
import { type ClusterSettings, settingsFile } from './cluster-settings.ts';
import { type ContinuedTask, continuedTaskOf, continueInQueue, noteStart } from './continuation.ts';
import { exist, foldersOf, waitUntilVisible } from './file-visibility.ts';
import { requestOf, unlimitedMachine } from './instance-request.ts';
import { makeScratch } from './scratch.ts';
import { TaskEventWriter } from './task-events.ts';
import { isEndOfTime, type JobSignals, nameOfThisJob, savingSeconds } from './this-job.ts';

export type StageJobOptions = Omit<InstanceOnNodeOptions, 'onEvent' | 'onStart'>;

type End = TaskEnd extends infer One
  ? One extends TaskEnd
    ? Omit<One, 'version' | 'job' | 'node'>
    : never
  : never;

/**
 * Runs one instance in its job on a node, and reports its end in the folder of its batch.
 *
 * @returns the exit code of the job: dependents run only after 0; after `continueExitCode` its script requeues it
 */
export async function runStageJob(options: StageJobOptions): Promise<number> {
  const { folder, index, environment, plan, task } = options;
  const events = new TaskEventWriter(folder.eventsFile(index));
  const instance = plan.instances.get(task.id) ?? { resume: [] };
  const continued = continuedTaskOf(plan, instance, folder, index);
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
    note('making room for another job; back into the queue with the work saved so far');
    return { kind: 'interrupted', because: 'room' };
  }
  const limit = settings.continuations;
  const continued = await continueInQueue(task, limit);
  if (continued.kind === 'ends') {
    return { kind: 'failed', code: continued.code, text: `the job's time is over${continued.why}` };
  }
  note(
    `the job's time is over; back into the queue with the work saved so far (${continued.count} of ${limit})`,
  );
  return { kind: 'interrupted', because: 'time' };
}

interface InstanceOnNodeOptions {
  readonly plan: Plan;
  readonly settings: ClusterSettings;
  readonly folder: BatchFolder;
  readonly index: number;
  readonly task: BatchTask;
  readonly facts: Facts;
  readonly environment: NodeJS.ProcessEnv;
  readonly signals: JobSignals;
  readonly onEvent: (event: RunEvent) => void;
  /** Called when the stage starts, with its resume folders in place. */
  readonly onStart: () => Promise<void>;
}

/** How an instance ended on its node. */
type InstanceEnd =
  | { readonly kind: 'done' | 'hit'; readonly fingerprint: string }
  | { readonly kind: 'failed'; readonly code: string; readonly text: string }
  | { readonly kind: 'interrupted' };

/**
 * Runs one instance in its job exactly as a local run would: checks whether it has to run, runs the stage's process with its limits, stores
 * and moves its outputs, and writes the record.
 */
function runOnNode(options: InstanceOnNodeOptions): Promise<InstanceEnd> {
  return new InstanceOnNode(options).run();
}

class InstanceOnNode {
  readonly #options: InstanceOnNodeOptions;
  readonly #session: Session;
  #failure: { readonly code: string; readonly text: string } = { code: 'internal', text: 'it failed' };

  constructor(options: InstanceOnNodeOptions) {
    this.#options = options;
    this.#session = openSession(options.plan, options);
  }

  async run(): Promise<InstanceEnd> {
    const { folder, index } = this.#options;
    const temporary = path.join(folder.taskFolder(index), 'tmp');
    await fs.rm(temporary, { recursive: true, force: true });
    try {
      return await this.#run(temporary);
    } catch (error) {
      return { kind: 'failed', ...describeFailure(explainDiskError(error, { keepsWork: true })) };
    } finally {
      await saveDigests(this.#session, { isShared: true });
      await fs.rm(temporary, { recursive: true, force: true }).catch(() => {});
    }
  }

  async #run(temporary: string): Promise<InstanceEnd> {
    const { plan, task, settings, signals } = this.#options;
    const instance = plan.instances.get(task.id);
    if (instance === undefined) throw differs(task.id, 'the pipeline no longer has it');
    const { patienceSeconds } = settings;
    await awaitMadeInputs(this.#session, instance, { task, patienceSeconds, signal: signals.stop });
    if (signals.stop.aborted) return { kind: 'interrupted' };
    const prepared = await this.#prepare(instance, temporary);
    if (prepared === 'failed') return { kind: 'failed', ...this.#failure };
    if (prepared === 'hit') return { kind: 'hit', fingerprint: this.#fingerprintOf(instance) };
    const [changed, ...more] = await findChangedParts(task.parts, prepared.parts);
    if (changed !== undefined) {
      throw differs(task.id, more.length === 0 ? changed : `${changed} and ${more.length} more`);
    }
    return await this.#execute(prepared, temporary);
  }

  async #prepare(instance: StageInstance, temporary: string): Promise<Prepared> {
    const { plan, task, signals } = this.#options;
    const session = this.#session;
    const before = plan.dependencies.get(instance.id) ?? [];
    const recorded = before.flatMap((id) => session.records.findLast(id) ?? []);
    const preparation = new Preparation({
      ...{ session, temporary, signal: signals.stop, fetchStage: undefined, onEvent: this.#onEvent },
      isForced: () => task.isForced,
      machine: unlimitedMachine(plan),
      produced: new Map(recorded.map((record) => [record.id, record.outputs])),
    });
    const prepared = await preparation.prepare(instance);
    return typeof prepared === 'object' && 'pending' in prepared ? prepared.pending : prepared;
  }

  async #execute(work: Exclude<Prepared, string>, temporary: string): Promise<InstanceEnd> {
    const { environment, facts, folder, settings, signals, onStart } = this.#options;
    let hasStarted = false;
    const { stop, kill } = signals;
    const scratch = await makeScratch(settings, environment);
    const context: ExecutionContext = {
      ...{ session: this.#session, temporary, environment, facts, stop, kill },
      graceSeconds: savingSeconds(requestOf(work.instance, settings).warnSeconds),
      executor: async (launch) => {
        // Only once, even with `retries:`: what counts is what the whole job has saved.
        if (!hasStarted) await onStart();
        hasStarted = true;
        return runLocally(launch);
      },
      hostFile: findHostFile,
      tracer: null,
      onEvent: this.#onEvent,
      revision: () => readRevision(this.#session.plan.projectRoot),
      ...(scratch === null ? {} : { scratch }),
      assertLocked: () => {
        if (existsSync(folder.batchFile)) return;
        throw new ReproError('job-cancelled', 'this job was cancelled');
      },
    };
    try {
      const cpus = Number(environment.SLURM_CPUS_PER_TASK ?? 1);
      // The GPUs that Slurm gave the job are in its environment, which the stage sees.
      const result = await execute(context, { ...withoutOwnLimit(work), grant: { cpus, gpus: [] } });
      if (typeof result === 'object') return { kind: 'done', fingerprint: result.fingerprint };
      return result === 'interrupted' ? { kind: 'interrupted' } : { kind: 'failed', ...this.#failure };
    } finally {
      if (scratch !== null) await fs.rm(scratch.folder, { recursive: true, force: true }).catch(() => {});
    }
  }

  #fingerprintOf({ id }: StageInstance): string {
    return this.#session.records.findLast(id)?.fingerprint ?? '';
  }

  readonly #onEvent = (event: RunEvent): void => {
    const told = event.kind === 'failed' ? { ...event, text: explainKill(event) } : event;
    if (told.kind === 'failed') this.#failure = { code: told.code, text: told.text };
    this.#options.onEvent(told);
  };
}

/** A stage that can continue in another job is limited by the time of each job, of which it is warned. */
function withoutOwnLimit<Prepared extends { readonly instance: StageInstance }>(work: Prepared): Prepared {
  const { instance } = work;
  if (instance.resume.length === 0) return work;
  return { ...work, instance: { ...instance, resources: { ...instance.resources, timeSeconds: null } } };
}

/** If a job runs out of memory, the kernel kills the stage, not the runner, and Slurm may not notice. */
function explainKill({ code, text }: { readonly code: string; readonly text: string }): string {
  if (code !== 'killed' || !text.includes('SIGKILL')) return text;
  return `${text}\n  A job gets only the memory that it requests: raise resources.memory of the stage, or \`memory\` in ${settingsFile}.`;
}

function differs(id: string, what: string): ReproError {
  return new ReproError('job-differs', `"${id}" has changed since it was submitted: ${what}`, {
    fix: 'Run again to submit it as it is now.',
  });
}

/**
 * Waits until this node sees the outputs that the jobs of the dependencies have reported.
 *
 * @throws {ReproError} `not-visible` if it does not appear in time
 */
async function awaitMadeInputs(
  { plan, records, folder }: Session,
  { id }: StageInstance,
  {
    task,
    patienceSeconds,
    signal,
  }: { readonly task: BatchTask; readonly patienceSeconds: number; readonly signal: AbortSignal },
): Promise<void> {
  const before = plan.dependencies.get(id) ?? [];
  const outputs = before
    .flatMap((one) => plan.instances.get(one)?.outputs ?? [])
    .map((output) => path.resolve(plan.projectRoot, output));
  const made = new Map(task.after.map((one) => [one.id, one.endFile]));
  const isThere = (one: string): boolean => {
    const record = records.findLast(one);
    const endFile = made.get(one);
    // A run that watched that job alone has recorded its end, and removed its folder.
    if (endFile === undefined || !existsSync(path.dirname(endFile))) return record !== null;
    const end = readTaskEnd(endFile);
    return hasEnded(end) && 'fingerprint' in end && end.fingerprint === record?.fingerprint;
  };
  const areThere = await waitUntilVisible(async () => before.every(isThere) && (await exist(outputs)), {
    folders: [folder.jobs, folder.records, ...foldersOf([...made.values(), ...outputs])],
    ...{ patienceSeconds, signal },
  });
  if (areThere || signal.aborted) return;
  const missing = before.find((one) => !isThere(one)) ?? before[0] ?? id;
  throw new ReproError(
    'not-visible',
    `the outputs of "${missing}" did not appear on node ${os.hostname()} within ${patienceSeconds} s`,
    { where: settingsFile, fix: 'If its file system is only slow, raise `patience:`.' },
  );
}
