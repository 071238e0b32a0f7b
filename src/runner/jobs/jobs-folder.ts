import { readdirSync, readFileSync } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import { describeError, hasErrorCode, ReproError } from '../../base/errors.ts';
import { writeFileAtomic } from '../../base/files/atomic-file.ts';
import { createWhole } from '../../base/files/lock.ts';
import type { StageEnd } from '../executors/executor.ts';
import { type CacheFolder, fileNameOf } from '../store/cache-folder.ts';

/** The job of one instance: `jobs/stages/<instance>/job.json`. It is written before the job is submitted. */
export interface Job {
  readonly version: 1;
  readonly id: string;
  /** A hash of the work, machine facts left out: a job of other work is not this one. */
  readonly key: string;
  /** By which Slurm knows it: the stage's name and a random token. */
  readonly name: string;
  /** Slurm's id; null until Slurm's answer is on disk. */
  readonly job: string | null;
  /** How often the instance has continued in another job because a job's time was over. */
  readonly continued: number;
}

/** `started-<name>.json`: written by the job as it starts, or by the runner to give a submission up; the second of them yields. */
export interface Started {
  /** null: the submission was given up. */
  readonly job: string | null;
  readonly node: string;
  readonly atMs: number;
  /** What the resume folders held: see `describeFiles`. */
  readonly resume: string;
}

/** `end-<name>.json`: the job's own report, its last file. */
export interface JobEnd {
  readonly node: string;
  readonly end: StageEnd;
  /** Of an interruption: whether it was warned that its time is nearly over; otherwise it was told to end. */
  readonly wasWarned?: boolean;
  /** What was written: see `describeFiles`; '' if nothing was. */
  readonly outputs: string;
}

/** The files of the job of one instance. Reading them throws a {@link ReproError} `jobs-unreadable` if they are damaged. */
export class JobFolder {
  readonly root: string;

  constructor(root: string) {
    this.root = root;
  }

  static of({ jobs }: Pick<CacheFolder, 'jobs'>, id: string): JobFolder {
    return new JobFolder(path.join(jobs, 'stages', fileNameOf(id)));
  }

  fileOf(name: string): string {
    return path.join(this.root, name);
  }

  readJob(): Job | null {
    return readJson<Job>(this.fileOf('job.json'));
  }

  writeJob(job: Job): Promise<void> {
    return writeFileAtomic(this.fileOf('job.json'), JSON.stringify(job));
  }

  /** null until a job of the submission has started, or the submission was given up. */
  readStarted(name: string): Started | null {
    return readJson<Started>(this.fileOf(`started-${name}.json`));
  }

  /** @returns whether this is the first to say so */
  claim(name: string, started: Started): boolean {
    return createWhole(this.fileOf(`started-${name}.json`), JSON.stringify(started));
  }

  /** The report of the job of a submission; null if there is none yet. */
  readEnd(name: string): JobEnd | null {
    return readJson<JobEnd>(this.fileOf(`end-${name}.json`));
  }

  /** Until when the report of a job that Slurm calls over may still appear; null: no run has seen Slurm say so. */
  readPatience(name: string): number | null {
    return readJson<{ untilMs: number }>(this.fileOf(`over-${name}.json`))?.untilMs ?? null;
  }

  /** The first run to see that a job is over decides, so that a later one does not begin to wait anew. @returns as `readPatience` */
  startPatience(name: string, untilMs: number): number {
    createWhole(this.fileOf(`over-${name}.json`), JSON.stringify({ untilMs }));
    return this.readPatience(name) ?? untilMs;
  }

  remove(): Promise<void> {
    return fs.rm(this.root, { recursive: true, force: true });
  }
}

/** The jobs whose results no run has taken in yet. @throws {ReproError} `jobs-unreadable` */
export function listJobs({ jobs }: Pick<CacheFolder, 'jobs'>) {
  const stages = path.join(jobs, 'stages');
  const names = readUnlessMissing(stages, () => readdirSync(stages)) ?? [];
  return names.flatMap((name) => {
    const folder = new JobFolder(path.join(stages, name));
    const job = folder.readJob();
    return job === null ? [] : [{ folder, job }];
  });
}

/** The jobs that have not reported their end; Slurm may know more. @throws {ReproError} `jobs-unreadable` */
export function listOutstanding(folder: Pick<CacheFolder, 'jobs'>) {
  return listJobs(folder).filter(({ folder: files, job }) => files.readEnd(job.name) === null);
}

/** Refuses to change the folder while jobs read and write there. @throws {ReproError} `locked`, `jobs-unreadable` */
export function refuseOutstanding(folder: Pick<CacheFolder, 'jobs'>): void {
  const [first, ...more] = listOutstanding(folder);
  if (first === undefined) return;
  const { job, id } = first.job;
  const rest = more.length === 0 ? '' : ` and ${more.length} more`;
  throw new ReproError(
    'locked',
    `jobs on a cluster work in this folder: ${job ?? 'one being submitted'} for "${id}"${rest}`,
    {
      where: folder.jobs,
      fix: 'Wait for them with `./repro attach`, which also records the jobs that have ended, or end them with `./repro cancel`.',
    },
  );
}

/** What a run on a cluster was asked for, so that `attach` and the job of `--detach` can repeat it: `jobs/run.json`. */
export interface ClusterRun {
  readonly version: 1;
  readonly profile: string | null;
  readonly set: readonly string[];
  readonly selected: readonly string[];
  /** Ids of those that run even if nothing has changed, and have not finished. */
  readonly forced: readonly string[];
  /** Ids of those that were cancelled, and are no longer wanted. */
  readonly cancelled: readonly string[];
  readonly options: {
    readonly failFast?: boolean;
    readonly jobs?: number;
    readonly gpus?: readonly string[];
    readonly pull?: boolean;
    readonly remote?: string;
    readonly trust?: string;
  };
  /** Slurm's id of the job in which it runs; null: it runs where it was typed. */
  readonly driver: string | null;
  /** Whether that job has done all: its events are kept to be shown. */
  readonly isOver?: boolean;
}

export function readClusterRun({ jobs }: Pick<CacheFolder, 'jobs'>): ClusterRun | null {
  return readJson<ClusterRun>(path.join(jobs, 'run.json'));
}

export function isCancelled(folder: Pick<CacheFolder, 'jobs'>, id: string): boolean {
  return readClusterRun(folder)?.cancelled.includes(id) === true;
}

export function writeClusterRun({ jobs }: Pick<CacheFolder, 'jobs'>, run: ClusterRun): Promise<void> {
  return writeFileAtomic(path.join(jobs, 'run.json'), JSON.stringify(run));
}

/** Removes all that a run without jobs has left; with some, only what is theirs stays. */
export async function tidyJobs(folder: Pick<CacheFolder, 'jobs'>): Promise<void> {
  if (listJobs(folder).length === 0) await fs.rm(folder.jobs, { recursive: true, force: true });
}

function readJson<Value extends object>(file: string): Value | null {
  return readUnlessMissing(file, () => JSON.parse(readFileSync(file, 'utf8')) as Value);
}

/** Files appear complete here, so one that cannot be parsed was damaged: nothing may start beside a job that may be at work. */
function readUnlessMissing<Value>(where: string, read: () => Value): Value | null {
  try {
    return read();
  } catch (cause) {
    if (hasErrorCode(cause, 'ENOENT', 'ENOTDIR')) return null;
    throw new ReproError('jobs-unreadable', `job data cannot be read: ${describeError(cause)}`, {
      where,
      fix: 'Another user may have submitted the jobs, or a disk was full. End the jobs (squeue, scancel), then remove artifacts/.cache/jobs.',
      cause,
    });
  }
}
