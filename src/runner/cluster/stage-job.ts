import { existsSync } from 'node:fs';
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { ReproError } from '../../errors.ts';
import { runLocally } from '../../executors/local.ts';
import { nameJob } from '../../executors/slurm/job-state.ts';
import { Slurm } from '../../executors/slurm/slurm.ts';
import { explainDiskError } from '../../files/disk-error.ts';
import type { RunRecord } from '../cache/records.ts';
import type { RunEvent } from '../events.ts';
import { describeFailure, execute } from '../execution/execution.ts';
import type { ExecutionContext } from '../execution/execution-context.ts';
import { findHostFile } from '../execution/host-file.ts';
import { readRevision } from '../execution/revision.ts';
import type { Facts } from '../fingerprint/fingerprint.ts';
import type { Plan, StageInstance } from '../plan.ts';
import { Preparation, type Prepared } from '../preparation.ts';
import { openSession, type Session, saveDigests } from '../session.ts';
import type { BatchFolder, BatchTask } from './batch.ts';
import { boundlessMachine } from './boundless.ts';
import { findChangedParts } from './changed-parts.ts';
import { makeScratch } from './scratch.ts';
import { type ClusterSettings, settingsFile } from './settings.ts';
import { hasEnded, readTaskEnd, type TaskEnd, writeTaskEnd } from './task-end.ts';
import { TaskEventWriter } from './task-events.ts';
import { exist, foldersOf, waitUntilVisible } from './visible.ts';

export interface StageJobOptions {
  readonly plan: Plan;
  readonly settings: ClusterSettings;
  readonly folder: BatchFolder;
  readonly index: number;
  readonly task: BatchTask;
  readonly facts: Facts;
  readonly environment: NodeJS.ProcessEnv;
  /** Aborted when Slurm tells the job to end. */
  readonly stop: AbortSignal;
  /** Whether it is told so because its time is nearly over. */
  readonly isTimeUp: () => boolean;
  /** Called once it has been put back into the queue: what comes next is its end. */
  readonly onRequeued: () => void;
}

/** How long an interrupted stage has to save its work. Slurm kills what takes longer, after its `KillWait` of 30 s by default. */
const graceSeconds = 25;

/** How long Slurm may take to end a job that asked to be put back into the queue. */
const requeuedWithinMs = 120_000;

type End = TaskEnd extends infer One
  ? One extends TaskEnd
    ? Omit<One, 'version' | 'job' | 'node'>
    : never
  : never;

/**
 * Runs one instance within its job on a node, exactly as a local run would: the decision whether it has to, the stage's process with its
 * limits, storing and moving what it made, the record. What becomes of it is left in the folder of its batch.
 *
 * @returns the exit code of the job: what depends on it only runs after 0
 */
export async function runStageJob(options: StageJobOptions): Promise<number> {
  const { folder, index, environment } = options;
  const job = nameOfThisJob(environment);
  const events = new TaskEventWriter(folder.eventsFile(index));
  // Of an attempt that Slurm has ended.
  await fs.rm(folder.endFile(index), { force: true });
  const seen: { failure: { code: string; text: string } | null } = { failure: null };
  const onEvent = (event: RunEvent): void => {
    if (event.kind === 'failed') seen.failure = { code: event.code, text: event.text };
    events.write(event);
  };
  const end = await new StageJob(options, onEvent, () => seen.failure).run();
  if (end.kind === 'interrupted' && options.isTimeUp() && mayGoOn(options)) {
    const answer = await new Slurm(environment).requeue(job);
    // Slurm ends this process, and starts the next one when there is room.
    if (answer.kind === 'ok') {
      options.onRequeued();
      await wait(requeuedWithinMs);
    }
  }
  await writeTaskEnd(folder.endFile(index), {
    ...closeEnd(end, options),
    version: 1,
    job,
    node: os.hostname(),
  });
  return end.kind === 'done' || end.kind === 'hit' ? 0 : 1;
}

/** `12`, or `12_3` in an array. */
function nameOfThisJob({
  SLURM_ARRAY_JOB_ID: array,
  SLURM_ARRAY_TASK_ID: task,
  SLURM_JOB_ID: id,
}: NodeJS.ProcessEnv): string {
  return array === undefined ? (id ?? '0') : nameJob(array, Number(task));
}

/** Whether an instance whose time is over continues in the queue: it can, and it has not done so too often. */
function mayGoOn({ plan, task, environment }: StageJobOptions): boolean {
  const instance = plan.instances.get(task.id);
  const restarts = Number(environment.SLURM_RESTART_COUNT ?? 0);
  return instance !== undefined && instance.resume.length > 0 && restarts < (instance.retries?.times ?? 0);
}

function closeEnd(end: End, { isTimeUp, plan, task }: StageJobOptions): End {
  if (end.kind !== 'interrupted' || !isTimeUp()) return end;
  const times = plan.instances.get(task.id)?.retries?.times ?? 0;
  const advice =
    times === 0
      ? 'With `retries:` a job that has run out of time goes on in another one.'
      : `It has been put back into the queue ${times} times; raise \`retries:\` or the time limit.`;
  return {
    kind: 'failed',
    code: 'timeout',
    text: `the job's time is over; what the stage saved is kept\n  ${advice}`,
  };
}

class StageJob {
  readonly #options: StageJobOptions;
  readonly #onEvent: (event: RunEvent) => void;
  readonly #failure: () => { code: string; text: string } | null;
  readonly #session: Session;

  constructor(
    options: StageJobOptions,
    onEvent: (event: RunEvent) => void,
    failure: () => { code: string; text: string } | null,
  ) {
    this.#options = options;
    this.#onEvent = onEvent;
    this.#failure = failure;
    this.#session = openSession(options.plan, options);
  }

  async run(): Promise<End> {
    const { plan, task, folder, index } = this.#options;
    const temporary = path.join(folder.taskFolder(index), 'tmp');
    await fs.rm(temporary, { recursive: true, force: true });
    try {
      const instance = plan.instances.get(task.id);
      if (instance === undefined) throw differs(task.id, 'the pipeline no longer has it');
      await this.#awaitInputs(instance);
      const prepared = await this.#prepare(instance, temporary);
      if (prepared === 'failed') return this.#failed();
      if (prepared === 'hit') return { kind: 'hit', fingerprint: this.#fingerprintOf(instance) };
      const [changed, ...more] = await findChangedParts(task.parts, prepared.parts);
      if (changed !== undefined) {
        throw differs(task.id, more.length === 0 ? changed : `${changed} and ${more.length} more`);
      }
      return await this.#execute(prepared, temporary);
    } catch (error) {
      return { kind: 'failed', ...describeFailure(explainDiskError(error, { keepsWork: true })) };
    } finally {
      await saveDigests(this.#session, { isShared: true });
      await fs.rm(temporary, { recursive: true, force: true }).catch(() => {});
    }
  }

  /** What other nodes have just made may take a while to appear here. */
  async #awaitInputs({ id }: StageInstance): Promise<void> {
    const { plan, settings, stop, task } = this.#options;
    const before = plan.dependencies.get(id) ?? [];
    const outputs = before
      .flatMap((one) => plan.instances.get(one)?.outputs ?? [])
      .map((output) => path.resolve(plan.projectRoot, output));
    const { records, folder } = this.#session;
    const made = new Map(task.after.map((one) => [one.id, one.endFile]));
    const isThere = (one: string): boolean => {
      const record = records.findLast(one);
      const endFile = made.get(one);
      // A runner that waited for that job alone has taken note of it, and removed what it left.
      if (endFile === undefined || !existsSync(path.dirname(endFile))) return record !== null;
      const end = readTaskEnd(endFile);
      return hasEnded(end) && 'fingerprint' in end && end.fingerprint === record?.fingerprint;
    };
    const areThere = await waitUntilVisible(async () => before.every(isThere) && (await exist(outputs)), {
      folders: [folder.jobs, folder.records, ...foldersOf([...made.values(), ...outputs])],
      patienceSeconds: settings.patienceSeconds,
      signal: stop,
    });
    if (areThere || stop.aborted) return;
    const missing = before.find((one) => !isThere(one)) ?? before[0] ?? id;
    throw new ReproError(
      'not-visible',
      `what "${missing}" has made does not appear on node ${os.hostname()} within ${settings.patienceSeconds} s`,
      { where: settingsFile, fix: 'If its file system is only slow, raise `patience:`.' },
    );
  }

  async #prepare(instance: StageInstance, temporary: string): Promise<Prepared> {
    const { plan, task, stop } = this.#options;
    const session = this.#session;
    const before = plan.dependencies.get(instance.id) ?? [];
    const recorded = before.flatMap((id) => session.records.findLast(id) ?? []);
    const preparation = new Preparation({
      ...{ session, temporary, signal: stop, fetchStage: undefined, onEvent: this.#onEvent },
      isForced: () => task.isForced,
      machine: boundlessMachine(plan),
      produced: new Map(recorded.map((record) => [record.id, record.outputs])),
    });
    const prepared = await preparation.prepare(instance);
    return typeof prepared === 'object' && 'pending' in prepared ? prepared.pending : prepared;
  }

  async #execute(work: Exclude<Prepared, string>, temporary: string): Promise<End> {
    const { environment, facts, stop, folder, settings } = this.#options;
    const scratch = await makeScratch(settings, environment);
    const context: ExecutionContext = {
      ...{ session: this.#session, temporary, environment, facts, graceSeconds, stop },
      executor: runLocally,
      hostFile: findHostFile,
      tracer: null,
      kill: new AbortController().signal,
      onEvent: this.#onEvent,
      revision: () => readRevision(this.#session.plan.projectRoot),
      ...(scratch === null ? {} : { scratch }),
      assertLocked: () => {
        if (existsSync(folder.batchFile)) return;
        throw new ReproError('job-cancelled', 'nobody waits for this job any more: it was cancelled');
      },
    };
    try {
      const cpus = Number(environment.SLURM_CPUS_PER_TASK ?? 1);
      // The GPUs that Slurm gave the job are in its environment, which the stage sees.
      const result: RunRecord | string = await execute(context, { ...work, grant: { cpus, gpus: [] } });
      if (typeof result === 'object') return { kind: 'done', fingerprint: result.fingerprint };
      return result === 'interrupted' ? { kind: 'interrupted' } : this.#failed();
    } finally {
      if (scratch !== null) await fs.rm(scratch.folder, { recursive: true, force: true }).catch(() => {});
    }
  }

  #fingerprintOf({ id }: StageInstance): string {
    return this.#session.records.findLast(id)?.fingerprint ?? '';
  }

  #failed(): End {
    const { code = 'internal', text = 'it failed' } = this.#failure() ?? {};
    return { kind: 'failed', code, text };
  }
}

function differs(id: string, what: string): ReproError {
  return new ReproError('job-differs', `"${id}" is no longer what was submitted: ${what}`, {
    fix: 'Run again: it is submitted as it is now.',
  });
}
