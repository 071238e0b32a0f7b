import { createHash, randomBytes } from 'node:crypto';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { describeError, ReproError } from '../../base/errors.ts';
import { writeFileAtomic } from '../../base/files/atomic-file.ts';
import { renderJobScript } from '../executors/slurm/job-script.ts';
import { explainSubmission, isLimitReached, type Slurm } from '../executors/slurm/slurm.ts';
import { stageEnvironment, variablesOf } from '../freshness/fingerprint.ts';
import { isCancelled, type Job, JobFolder } from '../jobs/jobs-folder.ts';
import { instanceOf } from '../plan/graph.ts';
import type { Plan, StageInstance } from '../plan/plan.ts';
import type { SharedRun } from '../run/execution-context.ts';
import { type CacheFolder, cacheFolderOf } from '../store/cache-folder.ts';
import { type ClusterSettings, requestOf, settingsFile, staysLocal } from './cluster-settings.ts';

/** What the parts of a run on Slurm share. */
export interface ClusterContext {
  readonly run: SharedRun;
  readonly slurm: Slurm;
  readonly settings: ClusterSettings;
  /** The words that start the runner on a node. */
  readonly runner: readonly string[];
}

/** What is to be submitted for one instance. */
interface Submission {
  readonly instance: StageInstance;
  readonly key: string;
  readonly continued: number;
}

/** A job that Slurm has accepted. */
export type SubmittedJob = Job & { readonly job: string };

interface Waiting extends Submission {
  readonly settle: (submitted: SubmittedJob) => void;
  readonly fail: (error: unknown) => void;
}

/** Of a submission that a run no longer makes, since it ends. */
export const dropped = new Error('not submitted, since the run ends');

/** Submits instances as jobs, one after the other; those of a stage with a limit as its jobs end. */
export class Submitter {
  readonly #context: ClusterContext;
  #waiting: Waiting[] = [];
  readonly #underWay = new Map<string, number>();
  #sending: Promise<void> = Promise.resolve();
  #hasNotedLimit = false;

  constructor(context: ClusterContext) {
    this.#context = context;
    context.run.signal.addEventListener('abort', () => this.drop(), { once: true });
  }

  /** @throws {ReproError} `slurm-refused`, `cancelled`; {@link dropped} */
  submit(one: Submission): Promise<SubmittedJob> {
    return new Promise((settle, fail) => {
      this.#waiting.push({ ...one, settle, fail });
      this.#wake();
    });
  }

  /** Counts the jobs of a stage that are under way, for its limit: also those that an earlier run submitted. */
  count(stage: string, change: 1 | -1): void {
    this.#underWay.set(stage, (this.#underWay.get(stage) ?? 0) + change);
    if (change < 0) this.#wake();
  }

  /** What waits here is not submitted any more. */
  drop(): void {
    for (const { fail } of this.#waiting) fail(dropped);
    this.#waiting = [];
  }

  #wake(): void {
    this.#sending = this.#sending.then(() => this.#sendAll());
  }

  async #sendAll(): Promise<void> {
    const { settings, run } = this.#context;
    const hasRoom = ({ instance }: Waiting): boolean =>
      (this.#underWay.get(instance.stage) ?? 0) <
      (requestOf(instance, settings).arrayLimit ?? Number.POSITIVE_INFINITY);
    while (!run.signal.aborted) {
      const next = this.#waiting.find(hasRoom);
      if (next === undefined) return;
      this.#waiting = this.#waiting.filter((one) => one !== next);
      this.count(next.instance.stage, 1);
      await this.#send(next);
    }
    this.drop();
  }

  /** Submits a job exactly once, whatever Slurm answers. */
  async #send({ instance, key, continued, settle, fail }: Waiting): Promise<void> {
    const { run, settings } = this.#context;
    const { folder, plan } = run.session;
    const { id, stage } = instance;
    try {
      for (let found: SubmittedJob | null = null; found === null; ) {
        if (isCancelled(folder, id)) {
          const fix = 'Run again to continue.';
          throw new ReproError('cancelled', 'it was cancelled by `./repro cancel`', { fix });
        }
        const name = `${stage}.${randomBytes(4).toString('hex')}`;
        const job: Job = { version: 1, id, key, name, job: null, continued };
        await JobFolder.of(folder, id).writeJob(job);
        const names = [...variablesOf(instance, run.facts), ...settings.environment];
        const environment = Object.entries(stageEnvironment(names, run.environment)).filter(
          ([one]) => !ofNode.has(one) || settings.environment.includes(one),
        );
        const { script } = scriptFilesOf(folder, name);
        const text = renderStageScript(instance, name, Object.fromEntries(environment), plan, this.#context);
        await writeFileAtomic(script, text, { mode: 0o600 });
        const accepted = await this.#sendScript(script, instance);
        found = await (accepted === null ? this.locate(job) : this.#accept(job, accepted));
        if (found !== null) settle(found);
      }
    } catch (error) {
      fail(error);
      this.count(stage, -1);
    }
  }

  /** @returns the id of the job; null if Slurm has not answered, and may have accepted it all the same */
  async #sendScript(script: string, { id, stage }: StageInstance): Promise<string | null> {
    const { run, slurm, settings } = this.#context;
    for (;;) {
      run.assertLocked();
      if (run.signal.aborted) {
        await JobFolder.of(run.session.folder, id).remove();
        throw dropped;
      }
      const { kind, text } = await slurm.submit(script);
      if (kind === 'ok') return text;
      if (kind === 'unknown') {
        this.#warn(id, `Slurm does not answer (${text}); submitting again when it does`);
        return null;
      }
      if (!isLimitReached(text)) throw explainSubmission(text, `${settingsFile} (${stage})`);
      const noted = 'you have reached your limit of submitted jobs; the rest is submitted as jobs end';
      if (!this.#hasNotedLimit) this.#warn(id, noted);
      this.#hasNotedLimit = true;
      await wait(settings.pollSeconds * 1000, undefined, { signal: run.signal }).catch(() => {});
    }
  }

  /**
   * Finds out, for a submission whose answer is not known, which job it became. If there is none, it is given up: should one start all the
   * same, it ends at once.
   *
   * @returns null if it was given up
   */
  async locate(job: Job): Promise<SubmittedJob | null> {
    const { run, slurm, settings } = this.#context;
    const files = JobFolder.of(run.session.folder, job.id);
    for (;;) {
      const { kind, text } = await slurm.findJob(job.name);
      if (kind === 'ok') {
        if (text !== '') return this.#accept(job, text);
        run.assertLocked();
        if (files.claim(job.name, { job: null, node: os.hostname(), atMs: Date.now(), resume: '' }))
          return null;
        const started = files.readStarted(job.name)?.job ?? null;
        return started === null ? null : this.#accept(job, started);
      }
      await wait(settings.pollSeconds * 1000, undefined, { signal: run.signal });
    }
  }

  #warn(id: string, text: string): void {
    this.#context.run.onEvent({ kind: 'note', id, level: 'warning', text });
  }

  async #accept(job: Job, id: string): Promise<SubmittedJob> {
    const { run, slurm } = this.#context;
    const { folder } = run.session;
    const submitted = { ...job, job: id };
    await JobFolder.of(folder, job.id).writeJob(submitted);
    // `repro cancel` notes what it cancels before it looks for jobs: either it finds the id, or this finds the note.
    if (isCancelled(folder, job.id)) {
      await slurm.cancel([submitted.job]).catch((error: unknown) => this.#warn(job.id, describeError(error)));
    }
    return submitted;
  }
}

/** Variables that the node sets itself: the job's folder and GPUs. */
const ofNode: ReadonlySet<string> = new Set(['TMPDIR', 'CUDA_VISIBLE_DEVICES']);

/** `log`: what the script and Slurm print. */
export function scriptFilesOf({ jobs }: Pick<CacheFolder, 'jobs'>, name: string) {
  const base = path.join(jobs, 'scripts', name);
  return { script: `${base}.sh`, log: `${base}.log` };
}

/** By which a person finds all jobs of a project folder: `squeue --format="%i %k"`. */
export function commentOf(projectRoot: string): string {
  return `repro:${createHash('sha256').update(projectRoot).digest('hex').slice(0, 8)}`;
}

type ScriptOptions = Pick<ClusterContext, 'settings' | 'runner'>;

function renderStageScript(
  instance: StageInstance,
  name: string,
  environment: Readonly<Record<string, string>>,
  plan: Plan,
  { settings, runner }: ScriptOptions,
): string {
  const folder = cacheFolderOf(plan);
  return renderJobScript({
    ...{ name, environment, requeues: false, projectRoot: plan.projectRoot },
    request: requestOf(instance, settings),
    comment: commentOf(plan.projectRoot),
    logFile: scriptFilesOf(folder, name).log,
    about: instance.id,
    folder: JobFolder.of(folder, instance.id).root,
    prelude: settings.prelude,
    command: [...settings.command, ...runner, 'stage-job', name],
  });
}

/**
 * The scripts that a run would submit, one for each stage: that of its first instance, with the name of the stage in place of a token, and
 * without the environment.
 *
 * @param ids what would run, in plan order
 */
export function renderScripts(plan: Plan, ids: readonly string[], options: ScriptOptions) {
  const all = ids.map((id) => instanceOf(plan, id));
  const submitted = all.filter((instance) => !staysLocal(instance, options.settings));
  return [...new Set(submitted.map(({ stage }) => stage))].flatMap((stage) => {
    const alike = submitted.filter((one) => one.stage === stage);
    const script = renderStageScript(alike[0] as StageInstance, stage, {}, plan, options);
    return { stage, ids: alike.map(({ id }) => id), script };
  });
}
