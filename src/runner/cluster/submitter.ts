import { createHash, randomBytes } from 'node:crypto';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { describeError } from '../../base/errors.ts';
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

/** What one script submits. */
type Batch<One> = readonly [One, ...One[]];

/** Of a submission that a run no longer makes, since it ends. */
export const dropped = new Error('not submitted, since the run ends');

/** Instances become ready one after the other, a moment apart: those that follow within this time share an array. */
const gatherMs = 400;

/** Submits instances as jobs: those that become ready together, and request the same, as one array. */
export class Submitter {
  readonly #context: ClusterContext;
  #waiting: Waiting[] = [];
  readonly #underWay = new Map<string, number>();
  /** One batch is sent after the other. */
  #sending: Promise<void> = Promise.resolve();
  #hasNotedLimit = false;

  constructor(context: ClusterContext) {
    this.#context = context;
  }

  /** @throws {ReproError} `slurm-refused`; {@link dropped} */
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
    const { ids, signal } = this.#context.run;
    for (let count = 0; count < this.#waiting.length && !signal.aborted; ) {
      count = this.#waiting.length;
      await wait(gatherMs, undefined, { signal }).catch(() => {});
    }
    // They come in any order.
    this.#waiting.sort((a, b) => ids.indexOf(a.instance.id) - ids.indexOf(b.instance.id));
    for (let batch = this.#takeBatch(); batch !== null && !signal.aborted; batch = this.#takeBatch()) {
      await this.#send(batch);
    }
    if (signal.aborted) this.drop();
  }

  /**
   * The next instances that share an array. Of a stage with a limit, all that are ready go in one array, which keeps the limit itself; those
   * that become ready while others are under way take the places that are free.
   */
  #takeBatch(): Batch<Waiting> | null {
    const { settings } = this.#context;
    for (const [first, ...more] of groupAlike(this.#waiting, settings)) {
      const { stage } = first.instance;
      const underWay = this.#underWay.get(stage) ?? 0;
      const { arrayLimit = Number.POSITIVE_INFINITY } = requestOf(first.instance, settings);
      const room = underWay === 0 ? Number.POSITIVE_INFINITY : arrayLimit - underWay;
      if (room <= 0) continue;
      const batch: Batch<Waiting> = [first, ...more.slice(0, room - 1)];
      this.#waiting = this.#waiting.filter((one) => !batch.includes(one));
      this.#underWay.set(stage, underWay + batch.length);
      return batch;
    }
    return null;
  }

  /** Submits an array exactly once, whatever Slurm answers. */
  async #send(batch: Batch<Waiting>): Promise<void> {
    const { run, settings } = this.#context;
    const { folder, plan } = run.session;
    const [{ instance }] = batch;
    const name = `${instance.stage}.${randomBytes(4).toString('hex')}`;
    const again: Waiting[] = [];
    try {
      const jobs = new Map<Waiting, Job>();
      for (const [i, one] of batch.entries()) {
        const { id } = one.instance;
        const index = batch.length === 1 ? null : i;
        const job: Job = { version: 1, id, key: one.key, name, index, job: null, continued: one.continued };
        jobs.set(one, job);
        await JobFolder.of(folder, id).writeJob(job);
      }
      const { script } = scriptFilesOf(folder, { name, index: null });
      const names = [...variablesOf(instance, run.facts), ...settings.environment];
      const environment = Object.entries(stageEnvironment(names, run.environment)).filter(
        ([one]) => !ofNode.has(one) || settings.environment.includes(one),
      );
      const text = renderStageScript(batch, name, Object.fromEntries(environment), plan, this.#context);
      await writeFileAtomic(script, text, { mode: 0o600 });
      const id = await this.#sendScript(script, batch);
      for (const [one, job] of jobs) {
        const found = await (id === null ? this.locate(job) : this.#accept(job, id));
        if (found === null) again.push(one);
        else one.settle(found);
      }
    } catch (error) {
      for (const { instance, fail } of batch) {
        fail(error);
        this.count(instance.stage, -1);
      }
      return;
    }
    const [first, ...more] = again;
    if (first !== undefined) await this.#send([first, ...more]);
  }

  /** @returns the id of the job or of the array; null if Slurm has not answered, and may have accepted it all the same */
  async #sendScript(script: string, batch: Batch<Waiting>): Promise<string | null> {
    const { run, slurm, settings } = this.#context;
    const [{ instance }] = batch;
    for (;;) {
      run.assertLocked();
      if (run.signal.aborted) {
        for (const one of batch) await JobFolder.of(run.session.folder, one.instance.id).remove();
        throw dropped;
      }
      const { kind, text } = await slurm.submit(script);
      if (kind === 'ok') return text;
      if (kind === 'unknown') {
        this.#warn(instance.id, `Slurm does not answer (${text}); submitting again when it does`);
        return null;
      }
      if (!isLimitReached(text)) throw explainSubmission(text, `${settingsFile} (${instance.stage})`);
      const noted = 'you have reached your limit of submitted jobs; the rest is submitted as jobs end';
      if (!this.#hasNotedLimit) this.#warn(instance.id, noted);
      this.#hasNotedLimit = true;
      await wait(settings.pollSeconds * 1000, undefined, { signal: run.signal }).catch(() => {});
    }
  }

  /**
   * Finds out, for a submission whose answer is not known, which job it became. Should one start later all the same, it finds that another
   * was submitted, and ends.
   *
   * @returns null if there is none
   */
  async locate(job: Job): Promise<SubmittedJob | null> {
    const { run, slurm, settings } = this.#context;
    for (;;) {
      const { kind, text } = await slurm.findJob(job.name);
      if (kind === 'ok') {
        // Without accounts, Slurm soon forgets a job that has ended.
        const started = JobFolder.of(run.session.folder, job.id).readStarted(job.name);
        const id = text === '' ? started?.job.replace(/_.*/, '') : text;
        return id === undefined ? null : this.#accept(job, id);
      }
      await wait(settings.pollSeconds * 1000, undefined, { signal: run.signal });
    }
  }

  #warn(id: string, text: string): void {
    this.#context.run.onEvent({ kind: 'note', id, level: 'warning', text });
  }

  /** @param id of the job, or of its array */
  async #accept(job: Job, id: string): Promise<SubmittedJob> {
    const { run, slurm } = this.#context;
    const { folder } = run.session;
    const submitted = { ...job, job: job.index === null ? id : `${id}_${job.index}` };
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

/** `script`: of a submission; `log`: what the script and Slurm print, of one task in an array. */
export function scriptFilesOf(
  { jobs }: Pick<CacheFolder, 'jobs'>,
  { name, index }: Pick<Job, 'name' | 'index'>,
) {
  const base = path.join(jobs, 'scripts', name);
  return { script: `${base}.sh`, log: `${base}.log${index === null ? '' : `.${index}`}` };
}

/** By which a person finds all jobs of a project folder: `squeue --format="%i %k"`. */
export function commentOf(projectRoot: string): string {
  return `repro:${createHash('sha256').update(projectRoot).digest('hex').slice(0, 8)}`;
}

type ScriptOptions = Pick<ClusterContext, 'settings' | 'runner'>;

function renderStageScript(
  batch: Batch<Pick<Submission, 'instance'>>,
  name: string,
  environment: Readonly<Record<string, string>>,
  plan: Plan,
  { settings, runner }: ScriptOptions,
): string {
  const folder = cacheFolderOf(plan);
  return renderJobScript({
    ...{ name, environment, requeues: false, projectRoot: plan.projectRoot },
    request: requestOf(batch[0].instance, settings),
    comment: commentOf(plan.projectRoot),
    logFile: scriptFilesOf(folder, { name, index: null }).log,
    about: batch.map(({ instance }, i) => `${i}: ${instance.id}`),
    folders: batch.map(({ instance }) => JobFolder.of(folder, instance.id).root),
    prelude: settings.prelude,
    command: [...settings.command, ...runner, 'stage-job', name],
  });
}

/** Those that can be tasks of one array. */
function groupAlike<One extends Pick<Submission, 'instance'>>(
  all: readonly One[],
  settings: ClusterSettings,
): Batch<One>[] {
  const groups = new Map<string, [One, ...One[]]>();
  for (const one of all) {
    const key = JSON.stringify([one.instance.stage, requestOf(one.instance, settings)]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [one]);
    else group.push(one);
  }
  return [...groups.values()];
}

/**
 * The scripts that a run would submit if all instances of a stage became ready together, with the name of the stage in place of a token, and
 * without the environment.
 *
 * @param ids what would run, in plan order
 */
export function renderScripts(plan: Plan, ids: readonly string[], options: ScriptOptions) {
  const all = ids.map((id) => ({ instance: instanceOf(plan, id) }));
  const submitted = all.filter(({ instance }) => !staysLocal(instance, options.settings));
  return groupAlike(submitted, options.settings).map((batch) => {
    const { stage } = batch[0].instance;
    const script = renderStageScript(batch, stage, {}, plan, options);
    return { stage, ids: batch.map(({ instance }) => instance.id), script };
  });
}
