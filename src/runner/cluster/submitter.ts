import { createHash, randomBytes } from 'node:crypto';
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { type JobRequest, renderJobScript } from '../../executors/slurm/job-script.ts';
import { explainSubmission, isLimitReached, type Slurm } from '../../executors/slurm/slurm.ts';
import { writeFileAtomic } from '../../files/atomic-file.ts';
import { isCancelled, type Job, JobFolder } from '../jobs/jobs-folder.ts';
import { instanceOf } from '../plan/graph.ts';
import type { Plan, StageInstance } from '../plan/plan.ts';
import type { SharedRun } from '../run/execution-context.ts';
import { cacheFolderOf } from '../store/cache-folder.ts';
import { type ClusterSettings, findPlace, requestOf, staysLocal } from './cluster-settings.ts';

/** What the parts of a run on Slurm share. */
export interface ClusterContext {
  readonly run: SharedRun;
  readonly slurm: Slurm;
  readonly settings: ClusterSettings;
  /** The words that start the runner on a node. */
  readonly runner: readonly string[];
}

/** A task of an array, or a job of its own. */
interface Task {
  readonly instance: StageInstance;
  readonly folder: JobFolder;
  readonly request: JobRequest;
  readonly environment: Readonly<Record<string, string>>;
}

/** What is to be submitted for one instance. */
interface Submission extends Task {
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
type Batch<One extends Task> = readonly [One, ...One[]];

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
    for (const first of this.#waiting) {
      const { stage } = first.instance;
      const underWay = this.#underWay.get(stage) ?? 0;
      const { arrayLimit = Number.POSITIVE_INFINITY } = first.request;
      const room = underWay === 0 ? Number.POSITIVE_INFINITY : arrayLimit - underWay;
      if (room <= 0) continue;
      const [batch, others] = splitAlike(first, this.#waiting, room);
      this.#waiting = others;
      this.#underWay.set(stage, underWay + batch.length);
      return batch;
    }
    return null;
  }

  /** Submits an array exactly once, whatever Slurm answers. */
  async #send(batch: Batch<Waiting>): Promise<void> {
    const { session } = this.#context.run;
    const name = `${batch[0].instance.stage}.${randomBytes(4).toString('hex')}`;
    const { script, log } = scriptFilesOf(session.folder.jobs, { name, index: null });
    const again: Waiting[] = [];
    try {
      const jobs = new Map<Waiting, Job>();
      for (const [i, one] of batch.entries()) {
        const index = batch.length === 1 ? null : i;
        const { instance, key, continued, folder } = one;
        const job = { version: 1, id: instance.id, key, name, index, job: null, continued } as const;
        jobs.set(one, job);
        await folder.writeJob(job);
        // Of the job before; its end names another submission.
        await fs.rm(folder.fileOf('end.json'), { force: true });
        await fs.rm(folder.fileOf('messages.ndjson'), { force: true });
      }
      const text = renderStageScript(batch, name, log, session.plan.projectRoot, this.#context);
      await writeFileAtomic(script, text, { mode: 0o600 });
      const id = await this.#sendScript(script, batch);
      for (const [one, job] of jobs) {
        const { folder, settle } = one;
        const found = await (id === null ? this.locate(folder, job) : this.#accept(folder, job, id));
        if (found === null) again.push(one);
        else settle(found);
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
    const warn = (text: string): void =>
      run.onEvent({ kind: 'note', id: instance.id, level: 'warning', text });
    for (;;) {
      run.assertLocked();
      if (run.signal.aborted) {
        for (const { folder } of batch) await folder.remove();
        throw dropped;
      }
      const { kind, text } = await slurm.submit(script);
      if (kind === 'ok') return text;
      if (kind === 'unknown') {
        warn(`Slurm does not answer (${text}); submitting again when it does`);
        return null;
      }
      if (!isLimitReached(text)) throw explainSubmission(text, findPlace(instance, settings, text));
      if (!this.#hasNotedLimit)
        warn('you have reached your limit of submitted jobs; the rest is submitted as jobs end');
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
  async locate(folder: JobFolder, job: Job): Promise<SubmittedJob | null> {
    const { run, slurm, settings } = this.#context;
    for (;;) {
      const { kind, text } = await slurm.findJob(job.name);
      if (kind === 'ok') {
        if (text !== '') return this.#accept(folder, job, text);
        run.assertLocked();
        if (folder.claim(job.name, { job: null, node: os.hostname(), atMs: Date.now(), resume: '' }))
          return null;
        const started = folder.readStarted(job.name)?.job ?? null;
        return started === null ? null : this.#accept(folder, job, started.replace(/_.*/, ''));
      }
      await wait(settings.pollSeconds * 1000, undefined, { signal: run.signal });
    }
  }

  /** @param id of the job, or of its array */
  async #accept(folder: JobFolder, job: Job, id: string): Promise<SubmittedJob> {
    const submitted = { ...job, job: job.index === null ? id : `${id}_${job.index}` };
    await folder.writeJob(submitted);
    // `repro cancel` notes what it cancels before it looks for jobs: either it finds the id, or this finds the note.
    const { run, slurm } = this.#context;
    if (isCancelled(run.session.folder, job.id)) await slurm.cancel([submitted.job]);
    return submitted;
  }
}

/** `script`: of a submission; `log`: what the script and Slurm print, of one task in an array. */
export function scriptFilesOf(jobs: string, { name, index }: Pick<Job, 'name' | 'index'>) {
  const base = path.join(jobs, 'scripts', name);
  return { script: `${base}.sh`, log: `${base}.log${index === null ? '' : `.${index}`}` };
}

/** By which a person finds all jobs of a project folder: `squeue --format="%i %k"`. */
export function commentOf(projectRoot: string): string {
  return `repro:${createHash('sha256').update(projectRoot).digest('hex').slice(0, 8)}`;
}

type ScriptOptions = Pick<ClusterContext, 'settings' | 'runner'>;

/** The script of instances of one stage that request the same. */
function renderStageScript(
  batch: Batch<Task>,
  name: string,
  logFile: string,
  projectRoot: string,
  { settings, runner }: ScriptOptions,
): string {
  const [{ request, environment }] = batch;
  return renderJobScript({
    ...{ name, logFile, projectRoot, request, environment, requeues: false },
    comment: commentOf(projectRoot),
    about: batch.map(({ instance }, i) => `${i}: ${instance.id}`),
    folders: batch.map(({ folder }) => folder.root),
    prelude: settings.prelude,
    command: [...settings.command, ...runner, 'stage-job', name],
  });
}

/** @returns those that can be tasks of one array with the first, and the others */
function splitAlike<One extends Task>(
  first: One,
  all: readonly One[],
  atMost = Number.POSITIVE_INFINITY,
): [Batch<One>, One[]] {
  const batch: [One, ...One[]] = [first];
  const others: One[] = [];
  for (const one of all) {
    if (one === first) continue;
    const isAlike =
      one.instance.stage === first.instance.stage &&
      JSON.stringify(one.request) === JSON.stringify(first.request);
    (isAlike && batch.length < atMost ? batch : others).push(one);
  }
  return [batch, others];
}

/** A script that a run would submit, for `--dry-run`. */
export interface DryRunScript {
  readonly stage: string;
  readonly ids: readonly string[];
  /** With the name of the stage in place of a token, and without the environment. */
  readonly script: string;
}

/**
 * The scripts that a run would submit if all instances of a stage became ready together.
 *
 * @param ids what would run, in plan order
 */
export function renderScripts(plan: Plan, ids: readonly string[], options: ScriptOptions): DryRunScript[] {
  const cache = cacheFolderOf(plan);
  const tasks = ids
    .map((id) => instanceOf(plan, id))
    .filter((instance) => !staysLocal(instance, options.settings))
    .map((instance) => ({
      ...{ instance, request: requestOf(instance, options.settings), environment: {} },
      folder: JobFolder.of(cache, instance.id),
    }));
  const scripts: DryRunScript[] = [];
  for (let [first, ...left] = tasks; first !== undefined; [first, ...left] = left) {
    const { stage } = first.instance;
    const [batch, others] = splitAlike(first, left);
    left = others;
    const { log } = scriptFilesOf(cache.jobs, { name: stage, index: null });
    const script = renderStageScript(batch, stage, log, plan.projectRoot, options);
    scripts.push({ stage, ids: batch.map(({ instance }) => instance.id), script });
  }
  return scripts;
}
