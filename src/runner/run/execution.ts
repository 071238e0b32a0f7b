import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { setTimeout as wait } from 'node:timers/promises';
import { describeError } from '../../errors.ts';
import type { StageEnd } from '../../executors/executor.ts';
import { explainDiskError } from '../../files/disk-error.ts';
import type { MetricValue } from '../../stage/define-stage.ts';
import type { StageMessage, StageTask } from '../../stage/protocol.ts';
import type { Retries, StageInstance } from '../plan/plan.ts';
import { fileNameOf, logFileOf } from '../store/cache-folder.ts';
import { hashParts } from '../store/fingerprint-parts.ts';
import { assertPlacesWritable, assertWritable } from '../store/outputs-in-place.ts';
import type { RunRecord } from '../store/records.ts';
import { confine } from './confinement.ts';
import { type ExecutionContext, type FoundWork, partsOfOrigin, type Work } from './execution-context.ts';
import { describeFullDisk, explainEnd } from './failed-end.ts';
import { installOutputs, takeOutputs } from './output-files.ts';
import { type ResumeFolder, resumeFoldersOf } from './resume-folder.ts';
import type { InstanceResult } from './scheduler.ts';
import { beginSpending, findLastSave, forgetSpending } from './spent-time.ts';
import { continueLog, keepLog, readLogTail, startLog } from './stage-log.ts';
import { prepareTask } from './stage-task.ts';
import { confirmStartState, readStartState, type StartState } from './start-state.ts';

/**
 * Runs an instance's process and, only if it succeeded, commits its outputs: into the store, then the record, then into
 * place. After a crash between any two of these the next run finds either no record, and runs it again, or a record whose
 * outputs are in the store, and restores them.
 *
 * @returns the record on success; otherwise this instance's outcome
 */
export async function execute(context: ExecutionContext, work: Work): Promise<RunRecord | InstanceResult> {
  const { instance } = work;
  const { session, onEvent } = context;
  const logFile = logFileOf(session.folder, instance.id);
  const { remote } = context;
  const temporary = remote?.folder ?? path.join(context.temporary, fileNameOf(instance.id));
  const secondsSince = stopwatch();
  const onStart = (): void => onEvent({ kind: 'started', id: instance.id, reasons: work.reasons, logFile });
  if (remote === undefined) onStart();
  // A job of other work may still use the folder.
  let isLeft = remote !== undefined;
  const attempt = await session.attempts.begin(instance.id, work.fingerprint);
  const fail = async (own: Failure): Promise<'failed'> => {
    const loss = findLoss(context);
    // Files missing there are then not the stage's fault.
    const failure =
      loss === null || loss.code === own.code
        ? own
        : { ...loss, text: `${loss.text}\nThe stage then failed: ${own.text}` };
    const seconds = secondsSince();
    await session.attempts.fail(attempt, { ...failure, seconds });
    onEvent({ kind: 'failed', id: instance.id, seconds, ...failure, logFile, logTail: readLogTail(logFile) });
    return 'failed';
  };
  try {
    await assertWritable(session.folder);
    await assertPlacesWritable(session.plan.projectRoot, instance.outputs);
    let found = (await remote?.find()) ?? null;
    isLeft = false;
    if (found === null)
      await startLog(logFile, `${instance.id}  ${new Date().toISOString()}  ${describeCommand(instance)}`);
    const resume = resumeFoldersOf(session, instance);
    const start = found?.start ?? (await readStartState(session, work));
    const { end, metrics, task, origin, times } = await attemptRepeatedly(instance.retries, context.signal, {
      // Of the last attempt, for what is expected of the next run: earlier ones and the waits between them tell nothing about that.
      attempt: async () => {
        const startedAt = new Date().toISOString();
        const secondsHere = stopwatch();
        const task = found?.task ?? (await prepareTask(context, work, temporary, resume, start));
        const spent =
          remote === undefined ? await beginSpending(session.folder, work.fingerprint, task.resume) : 0;
        const ran = await runTask(context, work, task, temporary, { logFile, onStart, found, start });
        const origin = ran.end.kind === 'done' ? ran.end.origin : undefined;
        const { seconds, earlierSeconds } = origin ?? { seconds: secondsHere(), earlierSeconds: spent };
        const total = earlierSeconds > 0 ? { totalSeconds: earlierSeconds + seconds } : {};
        return {
          ...ran,
          task,
          origin,
          times: { startedAt: origin?.startedAt ?? startedAt, seconds, ...total },
        };
      },
      onRetry: async (text) => {
        onEvent({ kind: 'note', id: instance.id, level: 'warning', text });
        await continueLog(logFile, text);
        found = null;
        await fs.rm(temporary, { recursive: true, force: true });
      },
    });
    const confirm = () => confirmStartState(session, work, start, remote === undefined);
    if (end.kind === 'interrupted') {
      isLeft = end.isLeft === true;
      if (!isLeft) await settleResumes(resume, work, confirm);
      await session.attempts.drop(instance.id);
      const savedMs = await findLastSave(task.resume);
      const ago = savedMs === null ? null : (Date.now() - savedMs) / 1000;
      // One that saved nothing after it was asked to stop was killed, which is not earlier than this.
      const isSaved = isLeft || (ago !== null && ago < context.graceSeconds);
      onEvent({ kind: 'interrupted', id: instance.id, savedSecondsAgo: isSaved ? 0 : ago });
      return 'interrupted';
    }
    if (end.kind === 'failed') {
      const text = await describeFullDisk(temporary);
      if (text !== null) onEvent({ kind: 'note', id: instance.id, level: 'warning', text });
      await settleResumes(resume, work, confirm);
      return await fail({ code: end.code, text: await explainEnd(session, instance, end) });
    }
    const parts = origin === undefined ? work.parts : partsOfOrigin(work.parts, origin);
    const fingerprint = origin === undefined ? work.fingerprint : hashParts(parts);
    const seconds = origin?.seconds ?? secondsSince();
    await confirm().catch(async (error: unknown) => {
      for (const folder of resume) await folder.distrust();
      throw error;
    });
    context.assertLocked();
    const taken = await takeOutputs(instance, task.outputs, session.store, temporary);
    const log = await keepLog(logFile, session.store);
    const overrides = session.plan.trial?.reaching.get(instance.id);
    const record: RunRecord = {
      version: 1,
      id: instance.id,
      stage: instance.stage,
      fingerprint,
      parts,
      outputs: taken.map((output) => output.recorded),
      metrics,
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
    const replaced = session.records.findAction(fingerprint)?.outputs ?? [];
    await session.records.write(record);
    await session.attempts.drop(instance.id);
    const told = await installOutputs(session, taken, replaced, temporary);
    if (told !== null) onEvent({ kind: 'note', id: instance.id, level: 'warning', text: told });
    for (const folder of resume) await folder.drop(fingerprint);
    if (resume.length > 0) await forgetSpending(session.folder, fingerprint);
    const { totalSeconds } = record;
    onEvent({ kind: 'finished', id: instance.id, seconds, ...(totalSeconds && { totalSeconds }), metrics });
    return record;
  } catch (error) {
    const explained = explainDiskError(error, { doing: `stage "${instance.id}"`, keepsWork: true });
    return await fail(describeFailure(explained));
  } finally {
    // If this fails, the next run empties the folder.
    const isOurs = remote === undefined || (!isLeft && findLoss(context) === null);
    if (isOurs) await fs.rm(temporary, { recursive: true, force: true }).catch(() => {});
  }
}

async function runTask(
  context: ExecutionContext,
  work: Work,
  task: StageTask,
  temporary: string,
  {
    found,
    start,
    ...watch
  }: {
    readonly logFile: string;
    readonly onStart: () => void;
    readonly found: FoundWork | null;
    readonly start: StartState;
  },
) {
  const { id, resources } = work.instance;
  const metrics: Record<string, MetricValue> = {};
  const onMessage = (message: StageMessage): void => {
    if (message.type === 'progress') context.onEvent({ kind: 'progress', id, progress: message.progress });
    if (message.type === 'note') {
      context.onEvent({ kind: 'note', id, level: message.level, text: message.text });
    }
    if (message.type !== 'metrics') return;
    Object.assign(metrics, message.values);
    context.onEvent({ kind: 'metrics', id, values: message.values });
  };
  if (found !== null) return { end: await found.follow({ ...watch, onMessage }), metrics };
  const confinement = await confine(context, work, task, temporary);
  const launch = {
    ...confinement,
    ...watch,
    timeSeconds: resources.timeSeconds,
    graceSeconds: context.graceSeconds,
    stop: context.signal,
    kill: context.kill,
    onMessage,
  };
  const { remote } = context;
  const end = await (remote === undefined ? context.executor(launch) : remote.execute(launch, start));
  return { end, metrics };
}

/** After an execution that did not succeed: whether the next one may resume from what it saved. */
async function settleResumes(
  resume: readonly ResumeFolder[],
  { fingerprint }: Work,
  confirm: () => Promise<void>,
): Promise<void> {
  if (resume.length === 0) return;
  const isAsBefore = await confirm().then(
    () => true,
    () => false,
  );
  for (const folder of resume) await (isAsBefore ? folder.settle(fingerprint) : folder.distrust());
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

/** What fails ten times in a row is not helped by waiting for days. */
const backoffSecondsAtMost = 3600;

/**
 * Runs a stage's process. If it fails and the stage declares `retries:`, runs it again, each time after a longer wait. An interruption ends
 * that wait and does not count as a failure.
 *
 * @param steps.onRetry before the wait for a further attempt; it is told why, in one line
 */
async function attemptRepeatedly<Attempt extends { readonly end: StageEnd }>(
  retries: Retries | undefined,
  stop: AbortSignal,
  steps: { readonly attempt: () => Promise<Attempt>; readonly onRetry: (text: string) => Promise<void> },
): Promise<Attempt> {
  for (let count = 1; ; count += 1) {
    const attempt = await steps.attempt();
    const { end } = attempt;
    if (end.kind !== 'failed' || retries === undefined || count > retries.times) return attempt;
    // A file that it may not touch: the pipeline file has to change.
    if (end.code.startsWith('undeclared-')) return attempt;
    if (end.code === 'timeout' && !retries.afterTimeout) return attempt;
    const seconds = Math.min(retries.backoffSeconds * 2 ** (count - 1), backoffSecondsAtMost);
    const [reason] = end.text.split('\n', 1);
    await steps.onRetry(
      `attempt ${count} of ${retries.times + 1} failed: ${reason}; trying again in ${seconds} s`,
    );
    try {
      await wait(seconds * 1000, undefined, { signal: stop });
    } catch {
      return { ...attempt, end: { kind: 'interrupted' } };
    }
  }
}
