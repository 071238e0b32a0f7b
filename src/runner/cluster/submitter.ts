import { createHash, randomBytes } from 'node:crypto';
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { ReproError } from '../../errors.ts';
import { renderEnvironment, renderJobScript } from '../../executors/slurm/job-script.ts';
import type { ClusterFacts, Slurm } from '../../executors/slurm/slurm.ts';
import { explainSubmission, isLimitReached } from '../../executors/slurm/submission-errors.ts';
import { writeFileAtomic } from '../../files/atomic-file.ts';
import { type Job, JobFolder, readClusterRun } from '../jobs/jobs-folder.ts';
import type { Plan, StageInstance } from '../plan/plan.ts';
import type { SharedRun } from '../run/execution-context.ts';
import { cacheFolderOf } from '../store/cache-folder.ts';
import type { ClusterSettings } from './cluster-settings.ts';
import { findPlace, type InstanceRequest, requestOf, staysLocal } from './job-request.ts';

/** What is to be submitted for one instance. */
interface Submission {
  readonly instance: StageInstance;
  readonly folder: JobFolder;
  readonly key: string;
  readonly request: InstanceRequest;
  readonly environment: Readonly<Record<string, string>>;
  readonly continued: number;
}

/** A job that Slurm has accepted. */
export type SubmittedJob = Job & { readonly job: string };

/** `unsent`: the run stops, and nothing was submitted. `unanswered`: it stops before Slurm has answered. */
type Submitted = SubmittedJob | 'unsent' | 'unanswered';

interface Waiting extends Submission {
  readonly settle: (submitted: Submitted) => void;
  readonly fail: (error: unknown) => void;
}

/** Instances become ready one after the other, a moment apart: those that follow within this time share an array. */
const gatherMs = 400;
const gatherAtMostMs = 3_000;

/** What the parts of a run on Slurm share. */
export interface ClusterContext {
  readonly run: SharedRun;
  readonly slurm: Slurm;
  readonly cluster: ClusterFacts;
  readonly settings: ClusterSettings;
  /** The words that start the runner on a node. */
  readonly runner: readonly string[];
}

/** Submits instances as jobs: those that become ready together, and request the same, as one array. */
export class Submitter {
  readonly #context: ClusterContext;
  #waiting: Waiting[] = [];
  readonly #underWay = new Map<string, number>();
  #isLooping = false;
  /** Whether something has changed since the loop last looked. */
  #isStale = false;
  #lastMs = 0;
  #hasNotedLimit = false;

  constructor(context: ClusterContext) {
    this.#context = context;
  }

  /** @throws {ReproError} `slurm-refused`, `cancelled` */
  submit(one: Submission): Promise<Submitted> {
    return new Promise((settle, fail) => {
      this.#waiting.push({ ...one, settle, fail });
      this.#lastMs = performance.now();
      this.#wake();
    });
  }

  /** A job of this stage that an earlier run submitted counts for its limit. */
  noteAdopted(stage: string): void {
    this.#underWay.set(stage, (this.#underWay.get(stage) ?? 0) + 1);
  }

  noteEnded(stage: string): void {
    this.#underWay.set(stage, (this.#underWay.get(stage) ?? 1) - 1);
    this.#wake();
  }

  /** What waits here is not submitted any more. */
  drop(): void {
    for (const one of this.#waiting) one.settle('unsent');
    this.#waiting = [];
  }

  #wake(): void {
    this.#isStale = true;
    if (this.#isLooping) return;
    this.#isLooping = true;
    void this.#loop().finally(() => {
      this.#isLooping = false;
      if (this.#isStale) this.#wake();
    });
  }

  async #loop(): Promise<void> {
    const { ids, signal } = this.#context.run;
    this.#isStale = false;
    const untilMs = performance.now() + gatherAtMostMs;
    while (!signal.aborted && performance.now() < Math.min(untilMs, this.#lastMs + gatherMs)) {
      await wait(50, undefined, { signal }).catch(() => {});
    }
    // They come in any order.
    this.#waiting.sort((a, b) => ids.indexOf(a.instance.id) - ids.indexOf(b.instance.id));
    for (let batch = this.#takeBatch(); batch !== null; batch = this.#takeBatch()) {
      const taken = batch;
      await this.#send(taken).catch((error: unknown) => {
        for (const one of taken) one.fail(error);
        for (const one of taken) this.noteEnded(one.instance.stage);
      });
      if (signal.aborted) break;
    }
    if (signal.aborted) this.drop();
  }

  /**
   * The next instances that share an array. Of a stage with a limit, all that are ready go in one array, which keeps the limit itself; those
   * that become ready while others are under way take the places that are free.
   */
  #takeBatch(): Waiting[] | null {
    const { settings, cluster } = this.#context;
    for (const first of this.#waiting) {
      const { stage } = first.instance;
      const { arrayLimit } = first.request;
      const underWay = this.#underWay.get(stage) ?? 0;
      const room =
        arrayLimit === null || underWay === 0 ? Number.POSITIVE_INFINITY : Math.max(0, arrayLimit - underWay);
      const alike = this.#waiting.filter((one) => isAlike(one, first));
      const batch = alike.slice(0, Math.min(room, settings.arraySize ?? cluster.arraySize));
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
      await fs.rm(one.folder.endFile, { force: true });
      await fs.rm(one.folder.messagesFile, { force: true });
    }
    const script = await this.#writeScript(batch, token);
    for (;;) {
      // After the jobs are on disk: a cancelling command finds them there, or is seen here.
      const unwanted = readClusterRun(session.folder)?.cancelled ?? [];
      const cancelled = batch.filter(({ instance }) => unwanted.includes(instance.id));
      if (cancelled.length > 0) {
        for (const { instance, fail } of cancelled) {
          this.noteEnded(instance.stage);
          fail(
            new ReproError('cancelled', 'it was cancelled by `./repro cancel`', {
              fix: 'Run again to continue.',
            }),
          );
        }
        return this.#send(batch.filter((one) => !cancelled.includes(one)));
      }
      assertLocked();
      if (signal.aborted) {
        for (const { settle } of batch) settle('unsent');
        return;
      }
      const answer = await slurm.submit(script);
      if (answer.kind === 'ok') return this.#accept(jobs, answer.text);
      if (answer.kind === 'unknown') return this.#resolve(jobs, answer.text);
      if (!isLimitReached(answer.text)) throw this.#explain(first.instance, answer.text);
      if (!this.#hasNotedLimit) {
        this.#hasNotedLimit = true;
        this.#warn(first, 'you have reached your limit of submitted jobs; the rest is submitted as jobs end');
      }
      await wait(settings.pollSeconds * 1000, undefined, { signal }).catch(() => {});
    }
  }

  async #accept(jobs: ReadonlyMap<Waiting, Job>, id: string): Promise<void> {
    for (const [one, job] of jobs) {
      const submitted = { ...job, job: job.index === null ? id : `${id}_${job.index}` };
      await one.folder.writeJob(submitted);
      one.settle(submitted);
    }
  }

  /** After a submission without an answer: whether Slurm accepted it all the same. */
  async #resolve(jobs: ReadonlyMap<Waiting, Job>, said: string): Promise<void> {
    const [[first] = []] = [...jobs];
    if (first !== undefined)
      this.#warn(first, `Slurm does not answer (${said}); submitting again when it does`);
    const again: Waiting[] = [];
    for (const [one, job] of jobs) {
      const located = await this.locate(one.folder, job);
      if (located === null) again.push(one);
      else one.settle(located);
    }
    if (again.length > 0) await this.#send(again);
  }

  /**
   * Finds out, for a submission whose answer is not known, which job it became. If there is none, it is given up: should one start all the
   * same, it ends at once.
   *
   * @returns null if it was given up; `unanswered` if the run stops before Slurm answers
   */
  async locate(folder: JobFolder, job: Job): Promise<SubmittedJob | 'unanswered' | null> {
    const { run, slurm, cluster, settings } = this.#context;
    const { signal } = run;
    const found = async (name: string): Promise<SubmittedJob> => {
      const submitted = { ...job, job: name };
      await folder.writeJob(submitted);
      return submitted;
    };
    for (;;) {
      const answer = await slurm.findJob(nameOf(job), cluster.hasAccounting);
      if ('problem' in answer) {
        await wait(settings.pollSeconds * 1000, undefined, { signal }).catch(() => {});
        if (signal.aborted) return 'unanswered';
        continue;
      }
      if (answer.id !== null) return found(job.index === null ? answer.id : `${answer.id}_${job.index}`);
      run.assertLocked();
      const givenUp = { job: null, node: os.hostname(), atMs: Date.now(), resume: '' };
      if (await folder.claim(job.token, givenUp)) return null;
      const started = folder.readStarted(job.token);
      return started?.job == null ? null : found(started.job);
    }
  }

  async #writeScript(batch: readonly Waiting[], token: string): Promise<string> {
    const { plan, folder } = this.#context.run.session;
    const files = scriptFilesOf(folder.jobs, { token, index: null });
    const environment = Object.assign({}, ...batch.map((one) => one.environment));
    await writeFileAtomic(files.environment, renderEnvironment(environment), { mode: 0o600 });
    await writeFileAtomic(
      files.script,
      renderStageScript(batch, token, files, plan.projectRoot, this.#context),
    );
    return files.script;
  }

  #explain(instance: StageInstance, said: string): ReproError {
    return explainSubmission(said, (keys) => findPlace(instance, this.#context.settings, keys));
  }

  #warn({ instance }: Waiting, text: string): void {
    this.#context.run.onEvent({ kind: 'note', id: instance.id, level: 'warning', text });
  }
}

/** The files of a submission; `log`: what the script and Slurm print, of one task in an array. */
export function scriptFilesOf(jobs: string, { token, index }: Pick<Job, 'token' | 'index'>) {
  const base = path.join(jobs, 'scripts', token);
  return {
    script: `${base}.sh`,
    environment: `${base}.env.sh`,
    log: `${base}.log${index === null ? '' : `.${index}`}`,
  };
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
  batch: readonly Pick<Submission, 'instance' | 'folder' | 'request'>[],
  token: string,
  files: ReturnType<typeof scriptFilesOf>,
  projectRoot: string,
  { settings, runner }: ScriptOptions,
): string {
  const [first] = batch;
  if (first === undefined) return '';
  const { arrayLimit, ...request } = first.request;
  const isArray = batch.length > 1;
  return renderJobScript({
    ...{ request, projectRoot, requeues: false },
    name: nameOf({ stage: first.instance.stage, token }),
    comment: commentOf(projectRoot, token),
    arraySize: isArray ? batch.length : null,
    atOnce: isArray && arrayLimit !== null && arrayLimit < batch.length ? arrayLimit : null,
    ...{ logFile: files.log, environmentFile: files.environment },
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
  /** With the name of the stage in place of a token. */
  readonly script: string;
}

/**
 * The scripts that a run would submit if all instances of a stage became ready together.
 *
 * @param ids what would run, in plan order
 */
export function renderScripts(plan: Plan, ids: readonly string[], options: ScriptOptions): DryRunScript[] {
  const { settings } = options;
  const cache = cacheFolderOf(plan);
  let left = ids
    .flatMap((id) => plan.instances.get(id) ?? [])
    .filter((instance) => !staysLocal(instance, settings))
    .map((instance) => ({
      ...{ instance, request: requestOf(instance, settings) },
      folder: JobFolder.of(cache, instance.id),
    }));
  const scripts: DryRunScript[] = [];
  for (let [first] = left; first !== undefined; [first] = left) {
    const one = first;
    const batch = left.filter((other) => isAlike(other, one)).slice(0, settings.arraySize ?? undefined);
    left = left.filter((other) => !batch.includes(other));
    const { stage } = one.instance;
    const count = scripts.filter((other) => other.stage === stage).length;
    const token = count === 0 ? stage : `${stage}-${count + 1}`;
    const files = scriptFilesOf(cache.jobs, { token, index: null });
    const script = renderStageScript(batch, token, files, plan.projectRoot, options);
    scripts.push({ stage, ids: batch.map(({ instance }) => instance.id), script });
  }
  return scripts;
}
