import { createHash, randomBytes } from 'node:crypto';
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { ReproError } from '../../errors.ts';
import { type JobRequest, renderJobScript } from '../../executors/slurm/job-script.ts';
import { explainSubmission, isLimitReached, type Slurm } from '../../executors/slurm/slurm.ts';
import { writeFileAtomic } from '../../files/atomic-file.ts';
import { type Job, JobFolder, readClusterRun } from '../jobs/jobs-folder.ts';
import { instanceOf } from '../plan/graph.ts';
import type { Plan, StageInstance } from '../plan/plan.ts';
import type { SharedRun } from '../run/execution-context.ts';
import { cacheFolderOf } from '../store/cache-folder.ts';
import type { ClusterSettings } from './cluster-settings.ts';
import { findPlace, requestOf, staysLocal } from './job-request.ts';

/** What is to be submitted for one instance. */
interface Submission {
  readonly instance: StageInstance;
  readonly folder: JobFolder;
  readonly key: string;
  readonly request: JobRequest;
  readonly environment: Readonly<Record<string, string>>;
  readonly continued: number;
}

/** A job that Slurm has accepted. */
export type SubmittedJob = Job & { readonly job: string };

/** `stopped`: the run stops before this was submitted, or before Slurm has answered: then its `job.json` stays. */
export type Submitted = SubmittedJob | 'stopped';

interface Waiting extends Submission {
  readonly settle: (submitted: Submitted) => void;
  readonly fail: (error: unknown) => void;
}

/** Instances become ready one after the other, a moment apart: those that follow within this time share an array. */
const gatherMs = 400;

/** What the parts of a run on Slurm share. */
export interface ClusterContext {
  readonly run: SharedRun;
  readonly slurm: Slurm;
  readonly settings: ClusterSettings;
  /** The words that start the runner on a node. */
  readonly runner: readonly string[];
}

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

  /** @throws {ReproError} `slurm-refused`, `cancelled` */
  submit(one: Submission): Promise<Submitted> {
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
    for (const { settle } of this.#waiting) settle('stopped');
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
    while (!signal.aborted) {
      const batch = this.#takeBatch();
      if (batch === null) return;
      await this.#send(batch).catch((error: unknown) => {
        for (const { instance, fail } of batch) {
          fail(error);
          this.count(instance.stage, -1);
        }
      });
    }
    this.drop();
  }

  /**
   * The next instances that share an array. Of a stage with a limit, all that are ready go in one array, which keeps the limit itself; those
   * that become ready while others are under way take the places that are free.
   */
  #takeBatch(): Waiting[] | null {
    for (const first of this.#waiting) {
      const { stage } = first.instance;
      const underWay = this.#underWay.get(stage) ?? 0;
      const { arrayLimit = Number.POSITIVE_INFINITY } = first.request;
      const room = underWay === 0 ? Number.POSITIVE_INFINITY : arrayLimit - underWay;
      const alike = this.#waiting.filter((one) => isAlike(one, first));
      const batch = alike.slice(0, Math.max(0, room));
      if (batch.length === 0) continue;
      this.#waiting = this.#waiting.filter((one) => !batch.includes(one));
      this.#underWay.set(stage, underWay + batch.length);
      return batch;
    }
    return null;
  }

  /** Submits an array exactly once, whatever Slurm answers. */
  async #send(batch: readonly Waiting[]): Promise<void> {
    const { run, slurm, settings } = this.#context;
    const { assertLocked, session, signal } = run;
    const [first] = batch;
    if (first === undefined) return;
    const token = randomBytes(4).toString('hex');
    const jobs = new Map<Waiting, Job>();
    for (const [i, one] of batch.entries()) {
      const job: Job = {
        version: 1,
        ...{ id: one.instance.id, stage: one.instance.stage, key: one.key, token },
        index: batch.length === 1 ? null : i,
        job: null,
        owner: os.userInfo().username,
        continued: one.continued,
      };
      jobs.set(one, job);
      await one.folder.writeJob(job);
      // Of the job before; its end names another submission.
      await fs.rm(one.folder.fileOf('end.json'), { force: true });
      await fs.rm(one.folder.fileOf('messages.ndjson'), { force: true });
    }
    const { script, log } = scriptFilesOf(session.folder.jobs, { token, index: null });
    const text = renderStageScript(batch, token, log, session.plan.projectRoot, this.#context);
    await writeFileAtomic(script, text, { mode: 0o600 });
    for (;;) {
      // After the jobs are on disk: a cancelling command finds them there, or is seen here.
      const unwanted = readClusterRun(session.folder)?.cancelled ?? [];
      const cancelled = batch.filter(({ instance }) => unwanted.includes(instance.id));
      for (const { instance, fail } of cancelled) {
        const fix = 'Run again to continue.';
        fail(new ReproError('cancelled', 'it was cancelled by `./repro cancel`', { fix }));
        this.count(instance.stage, -1);
      }
      if (cancelled.length > 0) return this.#send(batch.filter((one) => !cancelled.includes(one)));
      assertLocked();
      if (signal.aborted) {
        for (const { folder, settle } of batch) {
          await folder.remove();
          settle('stopped');
        }
        return;
      }
      const answer = await slurm.submit(script);
      if (answer.kind === 'ok') {
        for (const [{ folder, settle }, job] of jobs) settle(await writeId(folder, job, answer.text));
        return;
      }
      if (answer.kind === 'unknown') return this.#resolve(jobs, answer.text);
      if (!isLimitReached(answer.text)) {
        throw explainSubmission(answer.text, (keys) => findPlace(first.instance, settings, keys));
      }
      if (!this.#hasNotedLimit) {
        this.#hasNotedLimit = true;
        this.#warn(first, 'you have reached your limit of submitted jobs; the rest is submitted as jobs end');
      }
      await wait(settings.pollSeconds * 1000, undefined, { signal }).catch(() => {});
    }
  }

  /** After a submission without an answer: whether Slurm accepted it all the same. */
  async #resolve(jobs: ReadonlyMap<Waiting, Job>, said: string): Promise<void> {
    const [first] = jobs.keys();
    if (first !== undefined)
      this.#warn(first, `Slurm does not answer (${said}); submitting again when it does`);
    const again: Waiting[] = [];
    for (const [one, job] of jobs) {
      const located = await this.locate(one.folder, job);
      if (located === null) again.push(one);
      else one.settle(located);
    }
    await this.#send(again);
  }

  /**
   * Finds out, for a submission whose answer is not known, which job it became. If there is none, it is given up: should one start all the
   * same, it ends at once.
   *
   * @returns null if it was given up
   */
  async locate(folder: JobFolder, job: Job): Promise<Submitted | null> {
    const { run, slurm, settings } = this.#context;
    while (!run.signal.aborted) {
      const answer = await slurm.findJob(nameOf(job));
      if ('problem' in answer) {
        await wait(settings.pollSeconds * 1000, undefined, { signal: run.signal }).catch(() => {});
        continue;
      }
      if (answer.id !== null) return writeId(folder, job, answer.id);
      run.assertLocked();
      const givenUp = { job: null, node: os.hostname(), atMs: Date.now(), resume: '' };
      if (await folder.claim(job.token, givenUp)) return null;
      const started = folder.readStarted(job.token)?.job ?? null;
      return started === null ? null : writeId(folder, job, started.replace(/_.*/, ''));
    }
    return 'stopped';
  }

  #warn({ instance }: Waiting, text: string): void {
    this.#context.run.onEvent({ kind: 'note', id: instance.id, level: 'warning', text });
  }
}

/** @param id of the job, or of its array */
async function writeId(folder: JobFolder, job: Job, id: string): Promise<SubmittedJob> {
  const submitted = { ...job, job: job.index === null ? id : `${id}_${job.index}` };
  await folder.writeJob(submitted);
  return submitted;
}

/** `script`: of a submission; `log`: what the script and Slurm print, of one task in an array. */
export function scriptFilesOf(jobs: string, { token, index }: Pick<Job, 'token' | 'index'>) {
  const base = path.join(jobs, 'scripts', token);
  return { script: `${base}.sh`, log: `${base}.log${index === null ? '' : `.${index}`}` };
}

/** By which Slurm knows a submission. */
export function nameOf({ stage, token }: Pick<Job, 'stage' | 'token'>): string {
  return `${stage}.${token}`;
}

/** By which a person finds all jobs of a project folder: `squeue --format="%i %k"`. */
export function commentOf(projectRoot: string, token: string): string {
  return `repro:${createHash('sha256').update(projectRoot).digest('hex').slice(0, 8)}:${token}`;
}

type ScriptOptions = Pick<ClusterContext, 'settings' | 'runner'>;

/** The script of instances of one stage that request the same. */
function renderStageScript(
  batch: readonly Omit<Submission, 'key' | 'continued'>[],
  token: string,
  logFile: string,
  projectRoot: string,
  { settings, runner }: ScriptOptions,
): string {
  const [first] = batch;
  if (first === undefined) return '';
  return renderJobScript({
    ...{ request: first.request, environment: first.environment, projectRoot, requeues: false },
    name: nameOf({ stage: first.instance.stage, token }),
    comment: commentOf(projectRoot, token),
    logFile,
    about: batch.map(({ instance }, i) => `${i}: ${instance.id}`),
    folders: batch.map(({ folder }) => folder.root),
    prelude: settings.prelude,
    command: [...settings.command, ...runner, 'stage-job', token],
  });
}

/** Whether two instances can be tasks of one array. */
function isAlike(
  a: Pick<Submission, 'instance' | 'request'>,
  b: Pick<Submission, 'instance' | 'request'>,
): boolean {
  return a.instance.stage === b.instance.stage && JSON.stringify(a.request) === JSON.stringify(b.request);
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
  let left = ids
    .map((id) => instanceOf(plan, id))
    .filter((instance) => !staysLocal(instance, options.settings))
    .map((instance) => ({
      ...{ instance, request: requestOf(instance, options.settings), environment: {} },
      folder: JobFolder.of(cache, instance.id),
    }));
  const scripts: DryRunScript[] = [];
  for (let [first] = left; first !== undefined; [first] = left) {
    const { stage } = first.instance;
    const batch = left.filter((one) => isAlike(one, first));
    left = left.filter((one) => !batch.includes(one));
    const count = scripts.filter((other) => other.stage === stage).length;
    const token = count === 0 ? stage : `${stage}-${count + 1}`;
    const { log } = scriptFilesOf(cache.jobs, { token, index: null });
    const script = renderStageScript(batch, token, log, plan.projectRoot, options);
    scripts.push({ stage, ids: batch.map(({ instance }) => instance.id), script });
  }
  return scripts;
}
