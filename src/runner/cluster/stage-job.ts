import { appendFileSync } from 'node:fs';
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { ReproError } from '../../errors.ts';
import type { StageEnd } from '../../executors/executor.ts';
import { runLocally } from '../../executors/local.ts';
import { listSystemFiles } from '../../executors/system-files.ts';
import { writeFileAtomic } from '../../files/atomic-file.ts';
import { explainDiskError } from '../../files/disk-error.ts';
import type { StageMessage, StageTask } from '../../stage/protocol.ts';
import { FactFinder, type Facts } from '../freshness/fingerprint.ts';
import { stageEnvironment } from '../freshness/stage-environment.ts';
import { type JobEnd, JobFolder } from '../jobs/jobs-folder.ts';
import { runFactNames } from '../plan/plan.ts';
import { describeFailure } from '../run/execution.ts';
import { partsOfOrigin } from '../run/execution-context.ts';
import { ResumeFolder } from '../run/resume-folder.ts';
import { beginSpending } from '../run/spent-time.ts';
import { describeOpened } from '../run/stage-task.ts';
import { cacheFolderOf } from '../store/cache-folder.ts';
import { hashParts } from '../store/fingerprint-parts.ts';
import { settingsFile } from './cluster-settings.ts';
import { describeFolders, type JobLaunch, lastChangeOf, termSeconds, waitUntilVisible } from './job-files.ts';

/** What Slurm tells a job by signals. */
interface JobSignals {
  /** Aborted when it tells the job to end: the stage may save its work. */
  readonly stop: AbortSignal;
  /** Aborted when the time that Slurm gives for this is over. */
  readonly kill: AbortSignal;
  /** Whether it was warned of its end before it was told to end. */
  readonly wasWarned: () => boolean;
}

/**
 * Runs the stage of a job on its node, as on any machine, and reports its messages and its end in the folder of the job. The runner takes
 * the outputs from there.
 *
 * @returns the exit code of the job
 */
export async function runStageJob(root: string, token: string, knownFacts: Facts): Promise<number> {
  const folder = new JobFolder(root);
  const signals = listenForJobSignals();
  const job = nameOfThisJob(process.env);
  const node = os.hostname();
  const given = JSON.parse(await fs.readFile(folder.launchFile, 'utf8')) as JobLaunch;
  const { projectRoot, resume } = placesOf(given);
  const started = { job, node, atMs: Date.now(), resume: await describeFolders(resume) };
  const isCurrent = folder.readJob()?.token === token && (await folder.claim(token, started));
  if (!isCurrent) {
    process.stderr.write('repro: another job was submitted in place of this one, which ends\n');
    return 0;
  }
  let ended: Pick<JobEnd, 'end' | 'wasWarned' | 'outputs'>;
  try {
    ended = await new StageJob(folder, given, projectRoot, signals, knownFacts).run();
  } catch (error) {
    const failure = describeFailure(explainDiskError(error, { keepsWork: true }));
    ended = { end: { kind: 'failed', ...failure }, outputs: '' };
    process.stderr.write(`${failure.text}\n`);
  }
  const report: JobEnd = { token, job, node, ...ended };
  await writeFileAtomic(folder.endFile, JSON.stringify(report));
  return ended.end.kind === 'done' ? 0 : 1;
}

function placesOf({ launch, instance }: JobLaunch): { projectRoot: string; resume: string[] } {
  return { projectRoot: launch.cwd, resume: instance.resume.map((one) => path.resolve(launch.cwd, one)) };
}

class StageJob {
  readonly #folder: JobFolder;
  readonly #given: JobLaunch;
  readonly #projectRoot: string;
  readonly #signals: JobSignals;
  readonly #knownFacts: Facts;
  #lastProgressMs = Number.NEGATIVE_INFINITY;

  constructor(
    folder: JobFolder,
    given: JobLaunch,
    projectRoot: string,
    signals: JobSignals,
    knownFacts: Facts,
  ) {
    this.#folder = folder;
    this.#given = given;
    this.#projectRoot = projectRoot;
    this.#signals = signals;
    this.#knownFacts = knownFacts;
  }

  async run(): Promise<Pick<JobEnd, 'end' | 'wasWarned' | 'outputs'>> {
    await this.#awaitInputs();
    const scratch = await makeScratch(this.#given.settings.scratch);
    try {
      const { end, outputs } = await this.#runIn(scratch ?? this.#folder.root);
      return { end, outputs, ...(end.kind === 'interrupted' && { wasWarned: this.#signals.wasWarned() }) };
    } finally {
      if (scratch !== null) await fs.rm(scratch, { recursive: true, force: true }).catch(() => {});
    }
  }

  /** @param place the folder in which the stage works: that of the job, or one on the node's own disk with the same files */
  async #runIn(place: string): Promise<Pick<JobEnd, 'end' | 'outputs'>> {
    const { parts, variables, settings, cacheRoot } = this.#given;
    const { task: written, launch, environment } = await this.#moveTo(place);
    const origin = await this.#findOrigin();
    const fingerprint = hashParts(partsOfOrigin(parts, origin));
    await this.#openResumes(fingerprint);
    for (const output of written.outputs) {
      // An earlier job may have begun to write there.
      await fs.rm(path.dirname(output), { recursive: true, force: true });
      await fs.mkdir(path.dirname(output), { recursive: true });
    }
    const isAside = place !== this.#folder.root;
    const inputs = isAside && settings.copyInputs ? await copyInputs(place, written.inputs) : written.inputs;
    const { declaration } = written;
    const task: StageTask = {
      ...written,
      facts: { ...written.facts, ...origin.facts },
      inputs,
      ...(declaration === undefined ? {} : { declaration: { ...declaration, inputs } }),
    };
    await fs.writeFile(launch.taskFile, JSON.stringify(task));
    const { permissions } = launch;
    const more = [...inputs, ...listSystemFiles(this.#projectRoot)];
    const cache = cacheFolderOf({ projectRoot: this.#projectRoot }, cacheRoot);
    const earlierSeconds = await beginSpending(cache, fingerprint, task.resume);
    const startedMs = Date.now();
    const end = await runLocally({
      ...launch,
      environment: { ...stageEnvironment(variables, process.env), ...environment },
      permissions: permissions && { ...permissions, read: [...permissions.read, ...more] },
      wrapper: null,
      stop: this.#signals.stop,
      kill: this.#signals.kill,
      onMessage: (message) => this.#pass(message),
    });
    if (end.kind !== 'done') return { end: explainKill(end), outputs: '' };
    const kept = task.outputs.map((output) => output.replace(place, () => this.#folder.root));
    for (const [i, output] of task.outputs.entries()) {
      if (!isAside) break;
      const target = path.dirname(kept[i] ?? '');
      await fs.rm(target, { recursive: true, force: true });
      await fs.cp(path.dirname(output), target, { recursive: true, verbatimSymlinks: true });
    }
    const seconds = (Date.now() - startedMs) / 1000;
    return {
      end: {
        ...end,
        origin: {
          ...origin,
          host: os.hostname(),
          node: process.versions.node,
          startedAt: new Date(startedMs).toISOString(),
          seconds,
          earlierSeconds,
        },
      },
      outputs: await describeFolders(kept.map((output) => path.dirname(output))),
    };
  }

  async #findOrigin() {
    const { instance } = this.#given;
    const ofMachine = instance.facts.filter((name) => !runFactNames.some((one) => one === name));
    const finder = new FactFinder(this.#knownFacts, this.#projectRoot, process.env);
    return {
      facts: await finder.find({ ...instance, facts: ofMachine }),
      runtime: { platform: process.platform, arch: process.arch },
    };
  }

  /** Task and launch with the paths of another folder in place of the job's. */
  async #moveTo(place: string) {
    const { launch, environment } = this.#given;
    const text = JSON.stringify({
      task: JSON.parse(await fs.readFile(launch.taskFile, 'utf8')) as StageTask,
      launch,
      environment,
    });
    const quoted = (folder: string): string => JSON.stringify(folder).slice(1, -1);
    const moved = JSON.parse(text.replaceAll(quoted(this.#folder.root), () => quoted(place))) as Pick<
      JobLaunch,
      'launch' | 'environment'
    > & { readonly task: StageTask };
    await fs.mkdir(path.join(place, 'scratch'), { recursive: true });
    return moved;
  }

  async #openResumes(fingerprint: string): Promise<void> {
    const { instance, cacheRoot } = this.#given;
    const aside = cacheFolderOf({ projectRoot: this.#projectRoot }, cacheRoot).resume;
    for (const [i, resume] of instance.resume.entries()) {
      const opened = await new ResumeFolder(this.#projectRoot, resume, i, aside).open(fingerprint);
      for (const text of describeOpened(resume, opened)) this.#pass({ type: 'note', level: 'note', text });
    }
  }

  async #awaitInputs(): Promise<void> {
    const { made, settings } = this.#given;
    const { patienceSeconds } = settings;
    for (const { path: input, mtimeMs } of made) {
      const isThere = async (): Promise<boolean> => (await lastChangeOf(input)) === mtimeMs;
      if (await waitUntilVisible(isThere, { patienceSeconds, signal: this.#signals.stop })) continue;
      throw new ReproError(
        'not-visible',
        `${path.relative(this.#projectRoot, input)} did not appear on node ${os.hostname()} within ${patienceSeconds} s as its stage made it`,
        { where: settingsFile, fix: 'If its file system is only slow, raise `patience:`.' },
      );
    }
  }

  /** To the runner: progress at most once a second, since each message is a write to a shared file system. */
  #pass(message: StageMessage): void {
    if (message.type === 'progress') {
      const nowMs = performance.now();
      if (nowMs - this.#lastProgressMs < 1000) return;
      this.#lastProgressMs = nowMs;
    }
    try {
      appendFileSync(this.#folder.messagesFile, `${JSON.stringify(message)}\n`);
    } catch {
      // A full disk is reported elsewhere; a missing message must not fail the stage.
    }
  }
}

/** If a job runs out of memory, the kernel kills the stage, not the runner, and Slurm may not notice. */
function explainKill(end: StageEnd): StageEnd {
  if (end.kind !== 'failed' || end.code !== 'killed' || !end.text.includes('SIGKILL')) return end;
  const hint = `A job gets only the memory that it requests: raise resources.memory of the stage, or \`memory\` in ${settingsFile}.`;
  return { ...end, text: `${end.text}\n  ${hint}` };
}

/**
 * Listens for SIGUSR2, by which Slurm warns of the end of the job's time or, on some sites, of a preemption, and for SIGTERM, after which it
 * kills: at a preemption, by `scancel`, or at the end of the time.
 */
function listenForJobSignals(): JobSignals {
  const stop = new AbortController();
  const kill = new AbortController();
  let wasWarned = false;
  let isEnding = false;
  process.on('SIGUSR2', () => {
    wasWarned ||= !isEnding;
    stop.abort();
  });
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) {
    process.on(signal, () => {
      stop.abort();
      if (isEnding) return;
      isEnding = true;
      setTimeout(() => kill.abort(), termSeconds * 1000).unref();
    });
  }
  return { stop: stop.signal, kill: kill.signal, wasWarned: () => wasWarned };
}

/** `12`, or `12_3` in an array; `0` outside of a job. */
function nameOfThisJob({
  SLURM_ARRAY_JOB_ID: array,
  SLURM_ARRAY_TASK_ID: task,
  SLURM_JOB_ID: id,
}: NodeJS.ProcessEnv): string {
  return array === undefined ? (id ?? '0') : `${array}_${task}`;
}

/**
 * Makes a new folder on the node's own disk, named after the job.
 *
 * @param setting `scratch:`; null: none
 * @throws {ReproError} `no-scratch`
 */
async function makeScratch(setting: string | null): Promise<string | null> {
  if (setting === null) return null;
  const parent = setting.replaceAll(/\$(?:\{(\w+)\}|(\w+))/g, (_, braced?: string, plain?: string) => {
    const name = braced ?? plain ?? '';
    const value = process.env[name] ?? '';
    if (value !== '') return value;
    throw new ReproError(
      'no-scratch',
      `scratch folder "${setting}" needs $${name}, which is not set on this node`,
      {
        where: settingsFile,
        fix: 'Correct `scratch:`, or name the variable under `environment:`.',
      },
    );
  });
  const folder = path.join(parent, `repro-${nameOfThisJob(process.env)}`);
  try {
    await fs.mkdir(parent, { recursive: true });
    await fs.rm(folder, { recursive: true, force: true });
    await fs.mkdir(folder, { mode: 0o700 });
  } catch (cause) {
    throw new ReproError('no-scratch', `scratch folder "${parent}" cannot be used on this node`, {
      where: settingsFile,
      fix: 'Correct `scratch:`, or leave it out.',
      cause,
    });
  }
  return folder;
}

/** Copies the inputs that exist; the stage reports missing ones itself. */
async function copyInputs(place: string, inputs: readonly string[]): Promise<string[]> {
  const copies: string[] = [];
  for (const [i, input] of inputs.entries()) {
    const copy = path.join(place, `input-${i}`, path.basename(input));
    await fs.rm(path.dirname(copy), { recursive: true, force: true });
    await fs.mkdir(path.dirname(copy), { recursive: true });
    const isThere = await fs.stat(input).catch(() => null);
    if (isThere !== null) await fs.cp(input, copy, { recursive: true, dereference: true });
    copies.push(copy);
  }
  return copies;
}
