import { appendFileSync } from 'node:fs';
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { writeFileAtomic } from '../../base/files/atomic-file.ts';
import { isSameJson } from '../../base/files/canonical-json.ts';
import { explainDiskError } from '../../base/files/disk-error.ts';
import { listSystemFiles, type MachineOrigin, type StageEnd } from '../executors/executor.ts';
import { runLocally } from '../executors/local.ts';
import { FactFinder, type Facts, stageEnvironment, variablesOf } from '../freshness/fingerprint.ts';
import { type JobEnd, JobFolder } from '../jobs/jobs-folder.ts';
import { runFactNames } from '../plan/plan.ts';
import { describeFailure } from '../run/execution.ts';
import { partsOfOrigin } from '../run/execution-context.ts';
import { beginSpending, ResumeFolder } from '../run/resume-folder.ts';
import { describeOpened } from '../run/stage-task.ts';
import type { StageMessage, StageTask } from '../stage/protocol.ts';
import { cacheFolderOf } from '../store/cache-folder.ts';
import { hashParts } from '../store/fingerprint-parts.ts';
import { settingsFile } from './cluster-settings.ts';
import { awaitVisible, describeFiles, type JobLaunch } from './job-files.ts';

/**
 * Runs the stage of a job on its node, as on any machine, and reports its messages and its end in the folder of the job. The runner takes
 * the outputs from there.
 *
 * @returns the exit code of the job
 */
export async function runStageJob(root: string, name: string, knownFacts: Facts): Promise<number> {
  const folder = new JobFolder(root);
  const stop = listenForJobSignals();
  const { SLURM_JOB_ID: job = '0' } = process.env;
  const node = os.hostname();
  const given = JSON.parse(await fs.readFile(folder.fileOf('launch.json'), 'utf8')) as JobLaunch;
  const resume = given.instance.resume.map((one) => path.resolve(given.launch.cwd, one));
  const started = { job, node, atMs: Date.now(), resume: await describeFiles(resume) };
  if (folder.readJob()?.name !== name || !folder.claim(name, started)) {
    process.stderr.write('repro: another job was submitted in place of this one, which ends\n');
    return 0;
  }
  const ended = await runStage(folder.fileOf(`messages-${name}.ndjson`), given, stop, knownFacts).catch(
    (error: unknown): StageReport => {
      if (stop.aborted) return { end: { kind: 'interrupted' }, outputs: '' };
      const failure = describeFailure(explainDiskError(error, { keepsWork: true }));
      process.stderr.write(`${failure.text}\n`);
      return { end: { kind: 'failed', ...failure }, outputs: '' };
    },
  );
  const report: JobEnd = { node, ...ended, wasWarned: stop.reason === warned };
  await writeFileAtomic(folder.fileOf(`end-${name}.json`), JSON.stringify(report));
  return ended.end.kind === 'done' ? 0 : 1;
}

type StageReport = Pick<JobEnd, 'end' | 'outputs'>;

async function runStage(
  messagesFile: string,
  { instance, parts, start, launch, made, madeState, patienceSeconds }: JobLaunch,
  stop: AbortSignal,
  knownFacts: Facts,
): Promise<StageReport> {
  const projectRoot = launch.cwd;
  const inputs = made.map((input) => path.relative(projectRoot, input)).join(', ');
  const what = `${inputs} did not appear on node ${os.hostname()}, as other stages made it,`;
  const isThere = async (): Promise<boolean> => (await describeFiles(made)) === madeState;
  await awaitVisible(what, isThere, { patienceSeconds, signal: stop });
  const finder = new FactFinder(knownFacts, projectRoot, process.env);
  const ofMachine = instance.facts.filter((name) => !runFactNames.some((one) => one === name));
  const origin = {
    facts: await finder.find({ ...instance, facts: ofMachine }),
    runtime: { platform: process.platform, arch: process.arch },
  };
  const fingerprint = hashParts(partsOfOrigin(parts, origin));
  const cache = cacheFolderOf({ projectRoot });
  const pass = messagePasser(messagesFile);
  const folders = instance.resume.map((one, i) => new ResumeFolder(projectRoot, one, i, cache.resume));
  for (const [i, folder] of folders.entries()) {
    const opened = await folder.open(fingerprint, start);
    const notes = describeOpened(instance.resume[i] ?? '', opened);
    for (const text of notes) pass({ type: 'note', level: 'note', text });
  }
  const written = JSON.parse(await fs.readFile(launch.taskFile, 'utf8')) as StageTask;
  const task: StageTask = { ...written, facts: { ...written.facts, ...origin.facts } };
  await fs.writeFile(launch.taskFile, JSON.stringify(task));
  const outputs = task.outputs.map((output) => path.dirname(output));
  for (const output of outputs) {
    // An earlier job may have begun to write there.
    await fs.rm(output, { recursive: true, force: true });
    await fs.mkdir(output, { recursive: true });
  }
  const { permissions } = launch;
  const earlierSeconds = await beginSpending(cache, fingerprint, task.resume);
  const startedMs = Date.now();
  const end = await runLocally({
    ...launch,
    environment: {
      ...stageEnvironment(variablesOf(instance, knownFacts), process.env),
      ...launch.environment,
    },
    permissions: permissions && {
      ...permissions,
      read: [...permissions.read, ...listSystemFiles(projectRoot)],
    },
    stop,
    kill: new AbortController().signal,
    onMessage: pass,
  });
  if (end.kind !== 'done') return { end: explainKill(end), outputs: '' };
  finder.forget();
  if (!isSameJson(await finder.find({ ...instance, facts: ofMachine }), origin.facts)) {
    for (const folder of folders) await folder.distrust();
    const text = 'the engine or a tool changed while the stage was running';
    return { end: { kind: 'failed', code: 'input-changed', text }, outputs: '' };
  }
  const result: MachineOrigin = {
    ...origin,
    host: os.hostname(),
    node: process.versions.node,
    startedAt: new Date(startedMs).toISOString(),
    seconds: (Date.now() - startedMs) / 1000,
    earlierSeconds,
  };
  return { end: { ...end, origin: result }, outputs: await describeFiles(outputs) };
}

/** To the runner: progress at most once a second, since each message is a write to a shared file system. */
function messagePasser(file: string): (message: StageMessage) => void {
  let lastMs = Number.NEGATIVE_INFINITY;
  return (message) => {
    const nowMs = performance.now();
    if (message.type === 'progress' && nowMs - lastMs < 1000) return;
    if (message.type === 'progress') lastMs = nowMs;
    try {
      appendFileSync(file, `${JSON.stringify(message)}\n`);
    } catch {
      // A full disk is reported elsewhere; a missing message must not fail the stage.
    }
  };
}

/** If a job runs out of memory, the kernel kills the stage, not the runner, and Slurm may not notice. */
function explainKill(end: StageEnd): StageEnd {
  if (end.kind !== 'failed' || end.code !== 'killed' || !end.text.includes('SIGKILL')) return end;
  const hint = `A job gets only the memory that it requests: raise resources.memory of the stage, or \`memory\` in ${settingsFile}.`;
  return { ...end, text: `${end.text}\n  ${hint}` };
}

const warned = 'warned';

/**
 * Listens for SIGUSR2, by which Slurm warns of the end of the job's time or, on some sites, of a preemption, and for SIGTERM, after which it
 * kills: at a preemption, by `scancel`, or at the end of the time.
 *
 * @returns aborted when the stage is to save its work and end; its reason is {@link warned} if the warning came first
 */
function listenForJobSignals(): AbortSignal {
  const stop = new AbortController();
  process.on('SIGUSR2', () => stop.abort(warned));
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => stop.abort());
  return stop.signal;
}
