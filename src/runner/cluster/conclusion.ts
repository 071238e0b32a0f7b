import fs from 'node:fs/promises';
import path from 'node:path';
import { jobOf } from '../jobs/batch.ts';
import type { StageInstance } from '../plan/plan.ts';
import { describeFullDisk } from '../run/failed-end.ts';
import type { SharedRun } from '../run/other-machines.ts';
import { continueLog, readLogTail, startLog } from '../run/stage-log.ts';
import { logFileOf } from '../store/cache-folder.ts';
import { durationOf, type RunRecord } from '../store/records.ts';
import type { ClusterSettings } from './cluster-settings.ts';
import { continuedTaskOf, countContinuations, judgeEnded } from './continuation.ts';
import { exist, foldersOf, waitUntilVisible } from './file-visibility.ts';
import type { Settled } from './job-watch.ts';
import { nodeFailures } from './verdict.ts';

/** `again`: the failure was not the stage's fault; another job continues its work. */
export type Conclusion =
  | { readonly kind: 'done' | 'hit' | 'failed' | 'interrupted' }
  | { readonly kind: 'again'; readonly attempt: number; readonly continued: number };

/** Concludes an instance whose job has ended, and reports it. */
export async function finishInstance(
  run: SharedRun,
  settings: ClusterSettings,
  instance: StageInstance,
  settled: Settled,
): Promise<Conclusion> {
  const { verdict, last, end } = settled;
  const { onEvent, produced } = run;
  const { id } = instance;
  if (verdict.kind === 'dropped') return { kind: 'interrupted' };
  if (verdict.kind === 'failed') return concludeFailure(run, settings, instance, settled);
  const record = await awaitRecord(run, settings, instance, verdict.fingerprint);
  if (record === null) {
    if (run.signal.aborted) return { kind: 'interrupted' };
    const text = `${end?.node ?? 'its node'} reports success, but its outputs did not appear here within ${settings.patienceSeconds} s\n  If the file system is only slow, run again later; otherwise the project is another folder there.`;
    return fail(run, instance, settled, { code: 'not-visible', text });
  }
  produced.set(id, record.outputs);
  if (verdict.kind === 'hit') {
    const restored = last?.kind === 'cached' ? last.restored : [];
    const removed = last?.kind === 'cached' ? last.removed : [];
    const made = { metrics: record.metrics, totalSeconds: durationOf(record) };
    onEvent({ kind: 'cached', id, restored, removed, isRehearsal: false, made });
  } else {
    const seconds = last?.kind === 'finished' ? last.seconds : record.seconds;
    const { totalSeconds, metrics } = record;
    onEvent({ kind: 'finished', id, seconds, ...(totalSeconds && { totalSeconds }), metrics });
  }
  return { kind: verdict.kind };
}

/** Waits until the record and outputs of a finished instance are visible here; null if they do not appear. */
async function awaitRecord(
  { session, signal }: SharedRun,
  { patienceSeconds }: ClusterSettings,
  instance: StageInstance,
  fingerprint: string,
): Promise<RunRecord | null> {
  const outputs = instance.outputs.map((output) => path.resolve(session.plan.projectRoot, output));
  const find = (): RunRecord | null => {
    const record = session.records.findLast(instance.id);
    return record?.fingerprint === fingerprint ? record : null;
  };
  const folders = [session.folder.records, ...foldersOf(outputs)];
  const isThere = async (): Promise<boolean> => find() !== null && (await exist(outputs));
  return (await waitUntilVisible(isThere, { folders, patienceSeconds, signal })) ? find() : null;
}

async function concludeFailure(
  run: SharedRun,
  settings: ClusterSettings,
  instance: StageInstance,
  settled: Settled,
): Promise<Conclusion> {
  const { verdict, submitted, index } = settled;
  if (verdict.kind !== 'failed') return { kind: 'interrupted' };
  const attempt = submitted.folder.readTask(index)?.attempt ?? 0;
  const times = instance.retries?.times ?? 0;
  const [reason] = verdict.text.split('\n', 1);
  const warn = (what: string): void => {
    const text = `${reason}; ${what}`;
    run.onEvent({ kind: 'note', id: instance.id, level: 'warning', text });
  };
  if (nodeFailures.has(verdict.code) && attempt < times) {
    warn(`submitting it again (${attempt + 1} of ${times})`);
    return { kind: 'again', attempt: attempt + 1, continued: countContinuations(submitted.folder, index) };
  }
  // The stage's own time limit is something else.
  if (verdict.code !== 'timeout' || settled.end?.kind === 'failed') {
    return fail(run, instance, settled, verdict);
  }
  const task = continuedTaskOf(run.session.plan, instance, submitted.folder, index);
  const continued = await judgeEnded(settled.end, task, settings.continuations);
  if (continued.kind === 'ends') {
    const text = `${reason}${continued.why}`;
    return fail(run, instance, settled, { code: continued.code, text });
  }
  warn('continuing in another job');
  return { kind: 'again', attempt, continued: continued.count };
}

async function fail(
  { onEvent, session }: SharedRun,
  { id }: StageInstance,
  { last, submitted, index, verdict, seconds, hasStarted, end }: Settled,
  { code, text }: { readonly code: string; readonly text: string },
): Promise<Conclusion> {
  if (last?.kind === 'failed' && verdict.kind === 'failed' && last.code === verdict.code) {
    onEvent(last);
    return { kind: 'failed' };
  }
  // The stage could not report it, so the output of Slurm and the script is appended to its log.
  const logFile = logFileOf(session.folder, id);
  const output = await fs.readFile(submitted.folder.outputFile(index), 'utf8').catch(() => '');
  if (output.trim() !== '') {
    const about = `job ${jobOf(submitted.batch, index)}, before or after the stage itself`;
    await (hasStarted ? continueLog(logFile, about) : startLog(logFile, `${id}  ${about}`));
    await fs.appendFile(logFile, output);
  }
  const isSilent = output.trim() === '';
  const hint =
    isSilent && end === null && !hasStarted && unexplained.has(code) ? await explainSilence(session) : '';
  const logTail = isSilent && !hasStarted ? [] : readLogTail(logFile);
  onEvent({ kind: 'failed', id, seconds, code, text: `${text}${hint}`, logFile, logTail });
  return { kind: 'failed' };
}

/** Failures without a cause from Slurm. */
const unexplained: ReadonlySet<string> = new Set(['job-failed', 'job-lost', 'no-result']);

async function explainSilence({ folder }: SharedRun['session']): Promise<string> {
  const full = await describeFullDisk(folder.root);
  return `\n  ${full ?? 'It left no log: your disk quota may be full, or its node may not have this folder.'}`;
}
