import fs from 'node:fs/promises';
import path from 'node:path';
import { ReproError } from '../../base/errors.ts';
import type { StageEnd, StageLaunch } from '../executors/executor.ts';
import { isOver, Slurm } from '../executors/slurm/slurm.ts';
import type { Fingerprints } from '../freshness/fingerprint.ts';
import type { Session } from '../freshness/session.ts';
import { type Job, type JobEnd, JobFolder, listJobs } from '../jobs/jobs-folder.ts';
import { instanceOf, listMakers, makersOf } from '../plan/graph.ts';
import { runFactNames } from '../plan/plan.ts';
import type { FoundWork, RemoteExecution, StartOtherMachines, Work } from '../run/execution-context.ts';
import type { StartState } from '../run/start-state.ts';
import type { StageTask } from '../stage/protocol.ts';
import { type FingerprintParts, hashParts } from '../store/fingerprint-parts.ts';
import { requestOf, settingsFile, staysLocal } from './cluster-settings.ts';
import { awaitVisible, describeFiles, type JobLaunch } from './job-files.ts';
import type { JobFailure } from './job-watch.ts';
import { type JobListener, JobWatch } from './job-watch.ts';
import { type ClusterContext, dropped, type SubmittedJob, Submitter, scriptFilesOf } from './submitter.ts';

/*
 * A run on Slurm is an ordinary run whose executor submits a job, and waits. What makes it safe to kill the run at any moment:
 *
 * - Each instance has one folder, `jobs/stages/<instance>`: `job.json` says what was submitted, before it is. The outputs are written
 *   there, too, so that they are committed by a rename, like those of a local stage.
 * - A run that finds the folder of the very work that it is about to start (`key`) submits nothing: it follows that job, reading its
 *   messages from the start, or takes in its end. So a killed run is continued by the same command.
 * - `job.json` without an id: the run was killed while it submitted, or Slurm did not answer. The job is looked for by its name, in which
 *   a random token stands. If there is none, the submission is given up: the runner makes the file `started-<name>.json`, which a job
 *   makes as it starts. Only one of them can, so a job that Slurm has accepted late ends at once.
 * - A job of other work keeps the instance from starting, until it has ended or is cancelled: both would write to the resume folder.
 */

/** @throws {ReproError} `slurm-missing`, `slurm-unreachable` */
export function runOnSlurm({
  settings,
  runner,
}: Pick<ClusterContext, 'settings' | 'runner'>): StartOtherMachines {
  return async (run) => {
    const { plan, folder } = run.session;
    const context = { settings, runner, run, slurm: await Slurm.connect(run.environment) };
    const submitter = new Submitter(context);
    const watch = new JobWatch(context);
    return {
      has: (id) => !staysLocal(instanceOf(plan, id), settings),
      cpusOf: (id) => requestOf(instanceOf(plan, id), settings).cpu ?? 1,
      executionOf: (work) => new SlurmExecution({ ...context, submitter, watch }, work),
      cancelWaiting: () => {
        submitter.drop();
        return watch.cancelWaiting();
      },
      end: async () => {
        run.assertLocked();
        // Jobs whose results were taken in by a run that was then killed.
        for (const { folder: files, job } of listJobs(folder)) {
          if (run.produced.has(job.id) && files.readEnd(job.name) !== null) await files.remove();
        }
      },
    };
  };
}

interface SlurmRun extends ClusterContext {
  readonly submitter: Submitter;
  readonly watch: JobWatch;
}

/** What decides whether a job does this very work: not the facts of machines, which are the node's. */
function keyOf(parts: FingerprintParts): string {
  return hashParts({ ...parts, facts: factsOfRun(parts), runtime: { platform: '', arch: '' } });
}

/** One instance's jobs: the first, and those that continue it. */
class SlurmExecution implements RemoteExecution {
  readonly folder: string;
  readonly #slurm: SlurmRun;
  readonly #work: Work;
  readonly #files: JobFolder;
  readonly #key: string;

  constructor(slurm: SlurmRun, work: Work) {
    this.#slurm = slurm;
    this.#work = work;
    this.#files = JobFolder.of(slurm.run.session.folder, work.instance.id);
    this.folder = this.#files.root;
    this.#key = keyOf(work.parts);
  }

  /** @throws {ReproError} `job-outdated` */
  async find(): Promise<FoundWork | null> {
    const job = this.#files.readJob();
    if (job === null) return null;
    if (job.key === this.#key) {
      const task = JSON.parse(await fs.readFile(this.#files.fileOf('task.json'), 'utf8')) as StageTask;
      const { start } = JSON.parse(await fs.readFile(this.#files.fileOf('launch.json'), 'utf8')) as JobLaunch;
      return { task, start, follow: (watch) => this.#seeThrough(job, watch) };
    }
    // A job of other work is in the way unless it is over.
    if (this.#files.readEnd(job.name) === null) {
      const { stateOf } = await this.#slurm.slurm.readStates(job.job === null ? [] : [job.job]);
      if (job.job === null || !isOver(stateOf(job.job))) {
        throw new ReproError(
          'job-outdated',
          `its code, parameters or inputs have changed since job ${job.job ?? job.name} was submitted`,
          { fix: `End that job: ./repro cancel ${job.id}. Then run again.` },
        );
      }
    }
    await this.#files.remove();
    return null;
  }

  async execute(launch: StageLaunch, start: StartState): Promise<StageEnd> {
    const description = { ...(await this.#describe(launch)), start } satisfies JobLaunch;
    await fs.writeFile(this.#files.fileOf('launch.json'), JSON.stringify(description));
    return this.#seeThrough(null, launch);
  }

  async #describe({
    stop,
    kill,
    onMessage,
    onStart,
    ...launch
  }: StageLaunch): Promise<Omit<JobLaunch, 'start'>> {
    const { run, settings } = this.#slurm;
    const { plan } = run.session;
    const { instance, parts } = this.#work;
    const made = instance.inputs
      .filter((input) => listMakers(makersOf(plan, instance, input.path)).length > 0)
      .map((input) => path.resolve(plan.projectRoot, input.path));
    const ofJob = Object.entries(launch.environment).filter(([, value]) => value.startsWith(this.folder));
    // A stage that can continue in another job is limited by the time of each job, of which it is warned.
    const timeSeconds = instance.resume.length > 0 ? null : launch.timeSeconds;
    return {
      ...{ instance, parts },
      launch: { ...launch, environment: Object.fromEntries(ofJob), timeSeconds, graceSeconds },
      ...{ made, madeState: await describeFiles(made) },
      patienceSeconds: settings.patienceSeconds,
    };
  }

  /** Follows a job to its end, and those that continue it. @param found what an earlier run submitted, or began to submit; null: nothing */
  async #seeThrough(
    found: Job | null,
    listener: JobListener & Pick<StageLaunch, 'logFile'>,
  ): Promise<StageEnd> {
    const { submitter, watch, run, settings } = this.#slurm;
    const { instance } = this.#work;
    const { id, stage } = instance;
    try {
      let job = found === null || isSubmitted(found) ? found : await submitter.locate(found);
      if (job !== null) submitter.count(stage, 1);
      for (let continued = found?.continued ?? 0; ; ) {
        job ??= await submitter.submit({ instance, key: this.#key, continued });
        const { verdict, end } = await watch.follow(job, listener);
        submitter.count(stage, -1);
        if (verdict.kind === 'done') return await this.#awaitOutputs(verdict, end);
        if (end?.end.kind !== 'failed') await this.#appendLog(job, listener.logFile);
        if (watch.isEnding && verdict.code === 'cancelled') return { kind: 'interrupted' };
        const failure = verdict.isCutOff === true ? await this.#findWhyOver(verdict, job) : verdict;
        if (failure !== null) return failure;
        const isCounted = verdict.code === 'timeout' || instance.resume.length === 0;
        if (isCounted) continued += 1;
        const how =
          instance.resume.length === 0
            ? 'submitting it again'
            : 'continuing in another job with what it saved';
        const count = isCounted ? ` (${continued} of ${settings.continuations})` : '';
        const text = `${verdict.text}; ${how}${count}`;
        run.onEvent({ kind: 'note', id, level: 'note', text });
        job = null;
      }
    } catch (error) {
      if (error !== dropped && !run.signal.aborted) throw error;
      // If something is or may be submitted, its files stay for the next run.
      return { kind: 'interrupted', ...(this.#files.readJob() !== null && { isLeft: true }) };
    }
  }

  /** Why an instance whose job was cut off does not continue in another; null if it does. */
  async #findWhyOver({ code, text }: JobFailure, job: SubmittedJob): Promise<StageEnd | null> {
    const isTime = code === 'timeout';
    const failed = (more: string, own: string = code): StageEnd => ({
      ...{ kind: 'failed', code: own, text: `${text}${more}` },
    });
    const raise = `Raise its \`time\` in ${settingsFile}`;
    const { projectRoot } = this.#slurm.run.session.plan;
    const resume = this.#work.instance.resume.map((one) => path.resolve(projectRoot, one));
    const canResume = resume.length > 0;
    if (isTime && !canResume)
      return failed(`\n  ${raise}; a stage with a resume folder continues in another job.`);
    const started = this.#files.readStarted(job.name);
    if (canResume && started !== null && started.resume === (await describeFiles(resume)))
      return failed(`, and it saved nothing\n  ${raise}.`, 'no-progress');
    const { continuations } = this.#slurm.settings;
    if ((!isTime && canResume) || job.continued < continuations) return null;
    return failed(
      `, and it was submitted again as often as allowed (${continuations}); what it saved is kept\n  Run again to continue, or raise \`continuations\` or \`time\` in ${settingsFile}.`,
    );
  }

  /** Waits for what the node has written. @throws {ReproError} `not-visible` if it does not appear here */
  async #awaitOutputs(done: StageEnd, end: JobEnd | null): Promise<StageEnd> {
    const folders = this.#work.instance.outputs.map((_, i) => path.join(this.folder, `output-${i}`));
    const { settings, run } = this.#slurm;
    const isThere = async (): Promise<boolean> => (await describeFiles(folders)) === end?.outputs;
    const what = `the outputs did not appear here, as node ${end?.node} wrote them,`;
    await awaitVisible(what, isThere, { ...settings, signal: run.signal });
    return done;
  }

  /** What the script and Slurm have printed tells why a stage could not report itself. */
  async #appendLog(job: SubmittedJob, logFile: string): Promise<void> {
    const printed = scriptFilesOf(this.#slurm.run.session.folder, job.name).log;
    const text = await fs.readFile(printed, 'utf8').catch(() => '');
    await fs.appendFile(logFile, text.slice(-printedLengthAtMost));
  }
}

/** The rest of a longer log was not printed by the script. */
const printedLengthAtMost = 4000;

function isSubmitted(job: Job): job is SubmittedJob {
  return job.job !== null;
}

/**
 * Between asking a stage to stop and killing it: most of the two minutes before the end of its time. After SIGTERM, Slurm itself kills it
 * sooner: `KillWait` is 30 s by default.
 */
const graceSeconds = 90;

/**
 * A session that assumes the machine facts (engine, platform, architecture) of the node that made an instance's last result. The submitting
 * machine is often different, without GPUs or with an older processor, so its own facts do not matter: the node decides whether a result
 * is right for it.
 */
export function withFactsOfNodes(session: Session, isElsewhere: (id: string) => boolean): Session {
  const { records, fingerprints } = session;
  const find: Fingerprints['find'] = async (instance, produced) => {
    const parts = await fingerprints.find(instance, produced);
    const last = isElsewhere(instance.id) ? records.findLast(instance.id) : null;
    if (last === null) return parts;
    const { facts, runtime } = last.parts;
    return { ...parts, facts: { ...facts, ...factsOfRun(parts) }, runtime };
  };
  return { ...session, fingerprints: { ...fingerprints, find } };
}

/** The facts that the runner itself knows. */
function factsOfRun({ facts }: FingerprintParts): FingerprintParts['facts'] {
  return Object.fromEntries(
    Object.entries(facts).filter(([name]) => runFactNames.some((one) => one === name)),
  );
}
