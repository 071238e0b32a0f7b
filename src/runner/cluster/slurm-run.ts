import fs from 'node:fs/promises';
import path from 'node:path';
import { ReproError } from '../../errors.ts';
import type { StageEnd, StageLaunch } from '../../executors/executor.ts';
import { isFinal } from '../../executors/slurm/job-state.ts';
import { Slurm } from '../../executors/slurm/slurm.ts';
import type { StageTask } from '../../stage/protocol.ts';
import { type Fingerprints, variablesOf } from '../freshness/fingerprint.ts';
import { FreshnessCheck } from '../freshness/freshness.ts';
import type { Session } from '../freshness/session.ts';
import { stageEnvironment } from '../freshness/stage-environment.ts';
import { type Job, type JobEnd, JobFolder, listJobs } from '../jobs/jobs-folder.ts';
import { instanceOf, listMakers, makersOf } from '../plan/graph.ts';
import { runFactNames, type StageInstance } from '../plan/plan.ts';
import type { OtherMachines, RemoteExecution, StartOtherMachines, Work } from '../run/execution-context.ts';
import type { MachineResources } from '../run/machine.ts';
import { type FingerprintParts, hashParts } from '../store/fingerprint-parts.ts';
import { settingsFile } from './cluster-settings.ts';
import { describeFolders, type JobLaunch, lastChangeOf, termSeconds, waitUntilVisible } from './job-files.ts';
import { requestOf, staysLocal, unlimitedMachine } from './job-request.ts';
import { type JobListener, JobWatch } from './job-watch.ts';
import { type ClusterContext, type SubmittedJob, Submitter, scriptFilesOf } from './submitter.ts';
import type { JobVerdict } from './verdict.ts';

/*
 * A run on Slurm is an ordinary run whose executor submits a job, and waits. What makes it safe to kill the run at any moment:
 *
 * - Each instance has one folder, `jobs/stages/<instance>`: `job.json` says what was submitted, before it is. The outputs are written
 *   there, too, so that they are committed by a rename, like those of a local stage.
 * - A run that finds the folder of the very work that it is about to start (`key`) submits nothing: it follows that job, reading its
 *   messages from the start, or takes in its end. So a killed run is continued by the same command.
 * - `job.json` without an id: the run was killed while it submitted, or Slurm did not answer. The job is looked for by its name, in which
 *   a random token stands. If there is none, the submission is given up: the runner makes the file `started-<token>.json`, which a job
 *   makes as it starts. Only one of them can, so a job that Slurm has accepted late ends at once.
 * - A job of other work keeps the instance from starting, until it has ended or is cancelled: both would write to the resume folder.
 */

/** @throws {ReproError} `slurm-missing`, `slurm-unreachable` */
export function runOnSlurm(options: Pick<ClusterContext, 'settings' | 'runner'>): StartOtherMachines {
  return async (run) => {
    const slurm = new Slurm(run.environment);
    return new SlurmRun({ ...options, run, slurm, cluster: await slurm.describe() });
  };
}

class SlurmRun implements OtherMachines {
  readonly context: ClusterContext;
  readonly machine: MachineResources;
  readonly submitter: Submitter;
  readonly watch: JobWatch;
  /** Whether jobs that have not begun are cancelled by this run. */
  isEnding = false;

  constructor(context: ClusterContext) {
    this.context = context;
    this.machine = unlimitedMachine(context.run.session.plan);
    this.submitter = new Submitter(context);
    this.watch = new JobWatch(context);
  }

  #instanceOf(id: string): StageInstance {
    return instanceOf(this.context.run.session.plan, id);
  }

  has(id: string): boolean {
    return !staysLocal(this.#instanceOf(id), this.context.settings);
  }

  cpusOf(id: string): number {
    return requestOf(this.#instanceOf(id), this.context.settings).cpus;
  }

  executionOf(work: Work): RemoteExecution {
    return new SlurmExecution(this, work);
  }

  async cancelWaiting(): Promise<void> {
    this.isEnding = true;
    this.submitter.drop();
    // If Slurm does not answer, what waits runs, and its result is kept.
    await this.context.slurm.cancel(this.watch.jobs, { onlyWaiting: true });
  }

  /** Removes the folders of jobs whose results were taken in by a run that was then killed. */
  async end(): Promise<void> {
    const { session, produced, assertLocked } = this.context.run;
    assertLocked();
    for (const { folder, job } of listJobs(session.folder)) {
      if (produced.has(job.id) && folder.readEnd(job.token) !== null) await folder.remove();
    }
  }
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
  #found: SubmittedJob | 'unanswered' | null | undefined;

  constructor(slurm: SlurmRun, work: Work) {
    this.#slurm = slurm;
    this.#work = work;
    this.#files = JobFolder.of(slurm.context.run.session.folder, work.instance.id);
    this.folder = this.#files.root;
    this.#key = keyOf(work.parts);
  }

  get #instance(): StageInstance {
    return this.#work.instance;
  }

  /** @throws {ReproError} `job-outdated` */
  async find(): Promise<StageTask | null> {
    if (this.#found === undefined) this.#found = await this.#look();
    if (this.#found === null) return null;
    return JSON.parse(await fs.readFile(path.join(this.folder, 'task.json'), 'utf8')) as StageTask;
  }

  async #look(): Promise<SubmittedJob | 'unanswered' | null> {
    const job = this.#files.readJob();
    if (job === null) return null;
    if (job.key !== this.#key) {
      await this.#refuseOther(job);
      return null;
    }
    const located = isSubmitted(job) ? job : await this.#slurm.submitter.locate(this.#files, job);
    if (located === null) return null;
    this.#slurm.submitter.noteAdopted(this.#instance.stage);
    return located;
  }

  /** A job of other work is in the way unless it is over. */
  async #refuseOther(job: Job): Promise<void> {
    const { submitter, context } = this.#slurm;
    const located = isSubmitted(job) ? job : await submitter.locate(this.#files, job);
    if (located !== null && this.#files.readEnd(job.token) === null) {
      const name = located === 'unanswered' ? null : located.job;
      const state =
        name === null
          ? null
          : (await context.slurm.readStates([name], context.cluster.hasAccounting)).stateOf(name);
      if (state === null || (state !== 'absent' && !isFinal(state.state))) {
        throw new ReproError(
          'job-outdated',
          `its code, parameters or inputs have changed since job ${name ?? 'of an earlier run'} was submitted`,
          { fix: `End that job: ./repro cancel ${job.id}. Then run again.` },
        );
      }
    }
    await this.#files.remove();
  }

  async follow(watch: JobListener & Pick<StageLaunch, 'logFile'>): Promise<StageEnd> {
    const job = this.#found;
    this.#found = null;
    if (job == null || job === 'unanswered') return { kind: 'interrupted', isLeft: true };
    return this.#seeThrough(job, watch);
  }

  readonly executor = async (launch: StageLaunch): Promise<StageEnd> => {
    this.#found = null;
    await fs.writeFile(this.#files.launchFile, JSON.stringify(await this.#describe(launch)));
    const submitted = await this.#submit(0);
    if (typeof submitted === 'string') return stopped(submitted);
    return this.#seeThrough(submitted, launch);
  };

  async #describe(launch: StageLaunch): Promise<JobLaunch> {
    const { session, facts } = this.#slurm.context.run;
    const { plan } = session;
    const instance = this.#instance;
    const { id, stage, params, facts: names, tools, variables, resume, at } = instance;
    const made = instance.inputs
      .filter((input) => listMakers(makersOf(plan, instance, input.path)).length > 0)
      .map((input) => path.resolve(plan.projectRoot, input.path));
    const { hostFile, taskFile, cwd, permissions, logFile } = launch;
    const { warnSeconds } = requestOf(instance, this.#slurm.context.settings);
    const { scratch, copyInputs, patienceSeconds } = this.#slurm.context.settings;
    return {
      instance: {
        ...{ id, stage, params, facts: names, variables, resume, at },
        ...(tools === undefined ? {} : { tools }),
      },
      parts: this.#work.parts,
      launch: {
        ...{ hostFile, taskFile, cwd, permissions, logFile },
        // A stage that can continue in another job is limited by the time of each job, of which it is warned.
        timeSeconds: resume.length > 0 ? null : launch.timeSeconds,
        graceSeconds: savingSeconds(warnSeconds),
      },
      variables: variablesOf(instance, facts),
      environment: Object.fromEntries(
        Object.entries(launch.environment).filter(([, value]) => value.startsWith(this.folder)),
      ),
      cacheRoot: session.folder.root,
      made: await Promise.all(
        made.map(async (file) => ({ path: file, mtimeMs: (await lastChangeOf(file)) ?? 0 })),
      ),
      settings: { scratch, copyInputs, patienceSeconds },
    };
  }

  #submit(continued: number): ReturnType<Submitter['submit']> {
    const { submitter, context } = this.#slurm;
    const { run, settings } = context;
    const instance = this.#instance;
    const names = [...variablesOf(instance, run.facts), ...settings.environment, ...ofLogin];
    const all = Object.entries(stageEnvironment(names, run.environment));
    return submitter.submit({
      ...{ instance, folder: this.#files, key: this.#key, continued },
      request: requestOf(instance, settings),
      environment: Object.fromEntries(
        all.filter(([name]) => !ofNode.has(name) || settings.environment.includes(name)),
      ),
    });
  }

  /** Follows a job to its end, and those that continue it. */
  async #seeThrough(
    first: SubmittedJob,
    watch: JobListener & Pick<StageLaunch, 'logFile'>,
  ): Promise<StageEnd> {
    const { submitter, context } = this.#slurm;
    for (let job = first; ; ) {
      const ended = await this.#slurm.watch.follow(this.#files, job, watch);
      if (ended === 'stopped') return { kind: 'interrupted', isLeft: true };
      submitter.noteEnded(job.stage);
      const { verdict, end } = ended;
      const isReported = end !== null && (end.end.kind !== 'interrupted' || end.wasWarned === true);
      if (!isReported) await this.#appendLog(job, watch.logFile);
      const next = await this.#judge(verdict, end, job);
      if (typeof next !== 'number') return next;
      const count = next > job.continued ? ` (${next} of ${this.#slurm.context.settings.continuations})` : '';
      const text = `${'text' in verdict ? verdict.text : ''}; continuing in another job with what it saved${count}`;
      context.run.onEvent({ kind: 'note', id: job.id, level: 'note', text });
      const submitted = await this.#submit(next);
      if (typeof submitted === 'string') return stopped(submitted);
      job = submitted;
    }
  }

  /** @returns how the instance has ended; or, if it continues in another job, how often its time was over by then */
  async #judge(verdict: JobVerdict, end: JobEnd | null, job: SubmittedJob): Promise<StageEnd | number> {
    if (verdict.kind === 'ended') {
      return verdict.end.kind === 'done' && end !== null ? this.#awaitOutputs(end) : verdict.end;
    }
    if (verdict.kind === 'dropped') {
      if (this.#slurm.isEnding) return { kind: 'interrupted' };
      return { kind: 'failed', code: 'cancelled', text: verdict.text };
    }
    const { code, text } = verdict;
    const isTime = code === 'timeout';
    const raise = `Raise its \`time\` in ${settingsFile}`;
    const failed = (more: string, fix: string, own: string = code): StageEnd => ({
      kind: 'failed',
      ...{ code: own, text: `${text}${more}${fix === '' ? '' : `\n  ${fix}`}` },
    });
    const resume = this.#instance.resume.map((one) => path.resolve(this.#projectRoot, one));
    if (resume.length === 0) {
      const fix = `${raise}; a stage with a resume folder continues in another job.`;
      return failed('', isTime ? fix : 'With `retries:`, it is submitted again.');
    }
    const started = this.#files.readStarted(job.token);
    if (started !== null && started.resume === (await describeFolders(resume))) {
      const fix = `${raise}, or \`warning\` there if saving takes longer than that.`;
      return failed(', and it saved nothing', isTime ? fix : '', isTime ? 'no-progress' : code);
    }
    const { continuations } = this.#slurm.context.settings;
    if (!isTime) return job.continued;
    if (job.continued < continuations) return job.continued + 1;
    return failed(
      `, and it has continued in another job as often as allowed (${continuations}); its saved work is kept`,
      `Run again to continue; or raise \`continuations\` or \`time\` in ${settingsFile}.`,
    );
  }

  get #projectRoot(): string {
    return this.#slurm.context.run.session.plan.projectRoot;
  }

  /** Waits for what the node has written. @throws {ReproError} `not-visible` if it does not appear here */
  async #awaitOutputs({ end, outputs, node }: JobEnd): Promise<StageEnd> {
    const folders = this.#instance.outputs.map((_, i) => path.join(this.folder, `output-${i}`));
    const { patienceSeconds } = this.#slurm.context.settings;
    const { signal } = this.#slurm.context.run;
    const isThere = async (): Promise<boolean> => (await describeFolders(folders)) === outputs;
    if (await waitUntilVisible(isThere, { patienceSeconds, signal })) return end;
    if (signal.aborted) return { kind: 'interrupted', isLeft: true };
    throw new ReproError(
      'not-visible',
      `the outputs did not appear here within ${patienceSeconds} s as node ${node} wrote them`,
      { where: settingsFile, fix: 'If the file system is only slow, raise `patience:`.' },
    );
  }

  /** What the script and Slurm have printed tells why a stage could not report itself. */
  async #appendLog(job: SubmittedJob, logFile: string): Promise<void> {
    const printed = scriptFilesOf(this.#slurm.context.run.session.folder.jobs, job).log;
    const text = await fs.readFile(printed, 'utf8').catch(() => '');
    await fs.appendFile(logFile, text.slice(-printedLengthAtMost));
  }
}

/** The rest of a longer log was not printed by the script. */
const printedLengthAtMost = 4000;

function isSubmitted(job: Job): job is SubmittedJob {
  return job.job !== null;
}

function stopped(how: 'unsent' | 'unanswered'): StageEnd {
  return how === 'unsent' ? { kind: 'interrupted' } : { kind: 'interrupted', isLeft: true };
}

/** Variables of a login that programs on a node expect. */
const ofLogin: readonly string[] = ['USER', 'LOGNAME', 'SHELL'];

/** Variables that the node sets itself: the job's folder and GPUs. */
const ofNode: ReadonlySet<string> = new Set(['TMPDIR', 'CUDA_VISIBLE_DEVICES']);

/** The most of the warning time that is kept for reporting the end. */
const marginSeconds = 30;

/**
 * How long a stage may take to save its work when it is warned of the job's end.
 *
 * @param warnSeconds how long before that end the warning comes; null: there is none
 */
function savingSeconds(warnSeconds: number | null): number {
  return warnSeconds === null ? termSeconds : warnSeconds - Math.min(marginSeconds, warnSeconds / 4);
}

/**
 * A session that assumes the machine facts (engine, version of Node.js) of the node that made an instance's last result. The submitting
 * machine is often different, without GPUs or with an older processor, so its own facts do not matter: the node decides whether a result
 * is right for it.
 */
export function withFactsOfNodes(session: Session, isElsewhere: (id: string) => boolean): Session {
  const { plan, inputs, digests, records, store, fingerprints } = session;
  const find: Fingerprints['find'] = async (instance, produced) => {
    const parts = await fingerprints.find(instance, produced);
    const last = isElsewhere(instance.id) ? records.findLast(instance.id) : null;
    if (last === null) return parts;
    const { facts, runtime } = last.parts;
    return { ...parts, facts: { ...facts, ...factsOfRun(parts) }, runtime };
  };
  const freshness = new FreshnessCheck({
    ...{ plan, inputs, digests, records, store },
    fingerprints: { find },
  });
  return { ...session, freshness };
}

/** The facts that the runner itself knows. */
function factsOfRun({ facts }: FingerprintParts): FingerprintParts['facts'] {
  return Object.fromEntries(
    Object.entries(facts).filter(([name]) => runFactNames.some((one) => one === name)),
  );
}
