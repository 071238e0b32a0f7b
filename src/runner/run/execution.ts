import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { describeError, hasErrorCode, unreachable } from '../../base/errors.ts';
import { explainDiskError } from '../../base/files/disk-error.ts';
import type { StageEnd } from '../executors/executor.ts';
import { noteUse } from '../freshness/session.ts';
import type { StageInstance } from '../plan/plan.ts';
import type { MetricValue } from '../stage/define-stage.ts';
import type { StageMessage, StageTask } from '../stage/protocol.ts';
import type { Attempt } from '../store/attempts.ts';
import { fileNameOf, logFileOf } from '../store/cache-folder.ts';
import { hashParts } from '../store/fingerprint-parts.ts';
import { assertWritable } from '../store/outputs-in-place.ts';
import type { RunRecord } from '../store/records.ts';
import { type ExecutionContext, type FoundWork, partsOfOrigin, type Work } from './execution-context.ts';
import { installOutputs, takeOutputs } from './output-files.ts';
import {
  beginSpending,
  findLastSave,
  forgetSpending,
  type ResumeFolder,
  resumeFoldersOf,
} from './resume-folder.ts';
import type { InstanceResult } from './scheduler.ts';
import { explainEnd, keepLog, readLogTail, startLog } from './stage-log.ts';
import { confine, prepareTask } from './stage-task.ts';
import { confirmStartState, readStartState, type StartState } from './start-state.ts';

/**
 * Runs an instance's process and, only if it succeeded, commits its outputs: into the store, then the record, then into
 * place. After a crash between any two of these the next run finds either no record, and runs it again, or a record whose
 * outputs are in the store, and restores them.
 *
 * @returns the record on success; otherwise this instance's outcome
 */
export async function execute(context: ExecutionContext, work: Work): Promise<RunRecord | InstanceResult> {
  const { session, remote, onEvent } = context;
  const { instance } = work;
  const { id } = instance;
  const execution: Execution = {
    ...{ context, work },
    temporary: remote?.folder ?? path.join(context.temporary, fileNameOf(id)),
    logFile: logFileOf(session.folder, id),
    resume: resumeFoldersOf(session, instance),
    attempt: await session.attempts.begin(id, work.fingerprint),
    secondsSince: stopwatch(),
  };
  const onStart = (): void =>
    onEvent({ kind: 'started', id, reasons: work.reasons, logFile: execution.logFile });
  if (remote === undefined) onStart();
  // A job of other work may still use the folder.
  let isLeft = remote !== undefined;
  try {
    await assertWritable(session.folder, session.plan.projectRoot, instance.outputs);
    const found = (await remote?.find()) ?? null;
    isLeft = false;
    const start = found?.start ?? (await readStartState(session, work));
    const ran = await runProcess(execution, start, { found, onStart });
    isLeft = ran.end.kind === 'interrupted' && ran.end.isLeft === true;
    if (!isLeft) await settleResumes(execution, start, ran.end);
    switch (ran.end.kind) {
      case 'interrupted':
        return await reportInterruption(execution, ran.task, isLeft);
      case 'failed':
        return await fail(execution, {
          code: ran.end.code,
          text: await explainEnd(session, instance, ran.end, execution.temporary),
        });
      case 'done':
        return await commit(execution, start, { ...ran, end: ran.end });
      default:
        return unreachable(ran.end);
    }
  } catch (error) {
    const explained = explainDiskError(error, { doing: `stage "${id}"`, keepsWork: true });
    return await fail(execution, describeFailure(explained));
  } finally {
    // If this fails, the next run empties the folder.
    const isOurs = remote === undefined || (!isLeft && findLoss(context) === null);
    if (isOurs) await fs.rm(execution.temporary, { recursive: true, force: true }).catch(() => {});
  }
}

interface Execution {
  readonly context: ExecutionContext;
  readonly work: Work;
  readonly temporary: string;
  readonly logFile: string;
  readonly resume: readonly ResumeFolder[];
  readonly attempt: Attempt;
  readonly secondsSince: () => number;
}

interface Ran<End = StageEnd> {
  readonly end: End;
  readonly task: StageTask;
  readonly metrics: Readonly<Record<string, MetricValue>>;
  readonly times: Pick<RunRecord, 'startedAt' | 'seconds' | 'totalSeconds'>;
}

/** Runs the process of an instance, or follows the job that an earlier runner began, to its end. */
async function runProcess(
  { context, work, temporary, logFile, resume }: Execution,
  start: StartState,
  { found, onStart }: { readonly found: FoundWork | null; readonly onStart: () => void },
): Promise<Ran> {
  const { session, remote } = context;
  const { instance, fingerprint } = work;
  const startedAt = new Date().toISOString();
  if (found === null) await startLog(logFile, `${instance.id}  ${startedAt}  ${describeCommand(instance)}`);
  const task = found?.task ?? (await prepareTask(context, work, temporary, resume, start));
  const spent = remote === undefined ? await beginSpending(session.folder, fingerprint, task.resume) : 0;
  const secondsHere = stopwatch();
  const metrics: Record<string, MetricValue> = {};
  const onMessage = (message: StageMessage): void => {
    const { id } = instance;
    if (message.type === 'progress') context.onEvent({ kind: 'progress', id, progress: message.progress });
    if (message.type === 'note') {
      context.onEvent({ kind: 'note', id, level: message.level, text: message.text });
    }
    if (message.type !== 'metrics') return;
    Object.assign(metrics, message.values);
    context.onEvent({ kind: 'metrics', id, values: message.values });
  };
  const watch = { logFile, onStart, onMessage };
  const launch = async (): Promise<StageEnd> => {
    const launched = {
      ...(await confine(context, work, task, temporary)),
      ...watch,
      timeSeconds: instance.resources.timeSeconds,
      graceSeconds: context.graceSeconds,
      stop: context.signal,
      kill: context.kill,
    };
    return remote === undefined ? context.executor(launched) : remote.execute(launched, start);
  };
  const end = await (found === null ? launch() : found.follow(watch));
  const origin = end.kind === 'done' ? end.origin : undefined;
  const { seconds, earlierSeconds } = origin ?? { seconds: secondsHere(), earlierSeconds: spent };
  const total = earlierSeconds > 0 ? { totalSeconds: earlierSeconds + seconds } : {};
  return { end, task, metrics, times: { startedAt: origin?.startedAt ?? startedAt, seconds, ...total } };
}

/**
 * Decides whether a later execution may resume from what this one saved: only if its inputs are as they were. If that cannot be found out,
 * the folders stay as the execution opened them: a later one resumes if nothing was written to its inputs since.
 *
 * @throws {ReproError} `input-changed`, if there are outputs, which must not be recorded
 */
async function settleResumes(
  { resume, work, context: { session, remote } }: Execution,
  start: StartState,
  end: StageEnd,
): Promise<void> {
  const isDone = end.kind === 'done';
  if (resume.length === 0 && !isDone) return;
  try {
    await confirmStartState(session, work, start, remote === undefined);
  } catch (error) {
    if (hasErrorCode(error, 'input-changed')) for (const folder of resume) await folder.distrust();
    if (isDone) throw error;
    return;
  }
  if (!isDone) for (const folder of resume) await folder.settle(start);
}

async function reportInterruption(
  { context, work }: Execution,
  task: StageTask,
  isLeft: boolean,
): Promise<'interrupted'> {
  const { id } = work.instance;
  await context.session.attempts.drop(id);
  const savedMs = await findLastSave(task.resume);
  const ago = savedMs === null ? null : (Date.now() - savedMs) / 1000;
  // One that saved nothing after it was asked to stop was killed, which is not earlier than this.
  const isSaved = isLeft || (ago !== null && ago < context.graceSeconds);
  context.onEvent({ kind: 'interrupted', id, savedSecondsAgo: isSaved ? 0 : ago });
  return 'interrupted';
}

/** Takes the outputs of a process that succeeded into the store, records them, and puts them in place. */
async function commit(
  { context, work, temporary, logFile, resume, secondsSince }: Execution,
  start: StartState,
  { end, task, metrics, times }: Ran<Extract<StageEnd, { kind: 'done' }>>,
): Promise<RunRecord> {
  const { session, onEvent } = context;
  const { instance } = work;
  const { id, stage } = instance;
  const { origin } = end;
  const parts = origin === undefined ? work.parts : partsOfOrigin(work.parts, origin);
  const fingerprint = origin === undefined ? work.fingerprint : hashParts(parts);
  const seconds = origin?.seconds ?? secondsSince();
  context.assertLocked();
  const taken = await takeOutputs(instance, task.outputs, session.store, temporary);
  const log = await keepLog(logFile, session.store);
  const overrides = session.plan.trial?.reaching.get(id);
  const record: RunRecord = {
    ...{ version: 1, id, stage, fingerprint, parts, metrics },
    outputs: taken.map((output) => output.recorded),
    ...(log === null ? {} : { log }),
    ...times,
    peakMemoryBytes: end.peakMemoryBytes,
    host: origin?.host ?? os.hostname(),
    node: origin?.node ?? process.versions.node,
    ...start.revision,
    profile: session.plan.profile,
    ...(overrides === undefined ? {} : { overrides }),
  };
  context.assertLocked();
  for (const folder of resume) await folder.markFinished(fingerprint);
  await session.records.write(record);
  await noteUse(session, record);
  await session.attempts.drop(id);
  const told = await installOutputs(session, taken, temporary);
  if (told !== null) onEvent({ kind: 'note', id, level: 'warning', text: told });
  for (const folder of resume) await folder.drop(fingerprint);
  if (resume.length > 0) await forgetSpending(session.folder, fingerprint);
  const { totalSeconds } = record;
  onEvent({ kind: 'finished', id, seconds, ...(totalSeconds && { totalSeconds }), metrics });
  return record;
}

async function fail(
  { context, work, attempt, logFile, secondsSince }: Execution,
  own: Failure,
): Promise<'failed'> {
  const loss = findLoss(context);
  // Files missing there are then not the stage's fault.
  const failure =
    loss === null || loss.code === own.code
      ? own
      : { ...loss, text: `${loss.text}\nThe stage then failed: ${own.text}` };
  const seconds = secondsSince();
  const { id } = work.instance;
  await context.session.attempts.fail(attempt, { ...failure, seconds });
  context.onEvent({ kind: 'failed', id, seconds, ...failure, logFile, logTail: readLogTail(logFile) });
  return 'failed';
}

function stopwatch(): () => number {
  const startedMs = performance.now();
  return () => (performance.now() - startedMs) / 1000;
}

interface Failure {
  readonly code: string;
  readonly text: string;
}

/** That another process has taken the lock, and emptied the temporary folder; null if none has. */
function findLoss({ assertLocked }: ExecutionContext): Failure | null {
  try {
    assertLocked();
    return null;
  } catch (error) {
    return describeFailure(error);
  }
}

export function describeFailure(error: unknown): Failure {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'internal';
  return { code, text: describeError(error) };
}

function describeCommand({ command, hermetic }: StageInstance): string {
  if (command.kind === 'command') return JSON.stringify(command.argv);
  return hermetic
    ? command.path
    : `${command.path}  (hermetic: false, so nothing that it touches is checked)`;
}
