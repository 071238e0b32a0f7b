import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { hasErrorCode, ReproError } from '../../errors.ts';
import { endFileName, listeningFileName } from '../../executors/slurm/job-script.ts';
import { nameJob } from '../../executors/slurm/job-state.ts';
import { writeFileAtomic } from '../../files/atomic-file.ts';
import { quoteWords } from '../../files/shell-words.ts';
import { areFingerprintParts, type FingerprintParts } from '../store/fingerprint-parts.ts';
import { readClaim } from './claim.ts';
import { batchFileName, readStateFile } from './state-file.ts';
import { readTaskEnd, type TaskEnd } from './task-end.ts';

/** What selects the plan that a job belongs to. */
export interface PlanSelection {
  readonly profile: string | null;
  /** The `--set` arguments. */
  readonly set: readonly string[];
}

/** One job, or one array of them, as submitted: `jobs/<token>/batch.json`. */
export interface Batch {
  readonly version: 1;
  readonly token: string;
  readonly stage: string;
  /** The job's name and comment, by which it is found again. */
  readonly name: string;
  readonly comment: string;
  readonly isArray: boolean;
  /** null until Slurm's answer is on disk or a job has claimed the batch; until then the job is found by its name. */
  readonly jobId: string | null;
  readonly cluster: string;
  readonly owner: Owner;
  /** ISO 8601, UTC. */
  readonly submittedAt: string;
  readonly selection: PlanSelection;
  readonly tasks: readonly { readonly index: number; readonly id: string }[];
}

/** One task of a batch as submitted: `tasks/<index>/task.json`. */
export interface BatchTask {
  readonly id: string;
  /** What was known of its fingerprint then: inputs that other jobs had yet to make have no digest. */
  readonly parts: FingerprintParts;
  readonly isForced: boolean;
  /** The instances it depends on, and the files (absolute) in which their jobs report how they ended. */
  readonly after: readonly { readonly id: string; readonly endFile: string }[];
  /** 0 for the first submission, 1 for the next after a node failed, and so on. */
  readonly attempt: number;
  /** How often its instance had continued in another job before, because a job's time was over. */
  readonly continued: number;
}

/** The files of one batch. */
export class BatchFolder {
  /** Absolute. */
  readonly root: string;

  constructor(root: string) {
    this.root = root;
  }

  get batchFile(): string {
    return path.join(this.root, batchFileName);
  }

  /** Names the job of the batch: see `claim`. */
  get claimFile(): string {
    return path.join(this.root, 'claim');
  }

  get scriptFile(): string {
    return path.join(this.root, 'job.sh');
  }

  get environmentFile(): string {
    return path.join(this.root, 'environment.sh');
  }

  /** What the script and Slurm itself print for a task. */
  outputFile(index: number | string): string {
    return path.join(this.root, `slurm-${index}.log`);
  }

  taskFolder(index: number): string {
    return path.join(this.root, 'tasks', String(index));
  }

  eventsFile(index: number): string {
    return path.join(this.taskFolder(index), 'events.ndjson');
  }

  endFile(index: number): string {
    return path.join(this.taskFolder(index), endFileName);
  }

  /** Exists once the runner in the job handles signals. */
  listeningFile(index: number): string {
    return path.join(this.taskFolder(index), listeningFileName);
  }

  /**
   * null if the folder holds no batch: the run was killed before it submitted anything.
   *
   * @throws {ReproError} `jobs-unreadable`, `jobs-damaged`
   */
  readBatch(): Batch | null {
    const batch = readStateFile(this.batchFile, this.root, isBatch);
    if (batch === null || batch.jobId !== null) return batch;
    const jobId = readClaim(this.claimFile);
    return jobId !== null && isJobId(jobId) ? { ...batch, jobId } : batch;
  }

  writeBatch(batch: Batch): Promise<void> {
    return writeFileAtomic(this.batchFile, `${JSON.stringify(batch, null, 2)}\n`);
  }

  /** @throws {ReproError} `jobs-unreadable`, `jobs-damaged` */
  readTask(index: number): BatchTask | null {
    return readStateFile(path.join(this.taskFolder(index), 'task.json'), this.root, isBatchTask);
  }

  writeTask(index: number, task: BatchTask): Promise<void> {
    return writeFileAtomic(path.join(this.taskFolder(index), 'task.json'), JSON.stringify(task));
  }

  readEnd(index: number): TaskEnd | null {
    return readTaskEnd(this.endFile(index));
  }

  /** Removes the folder in one step: half a batch would look like one whose jobs still run, and a job could claim it again. */
  async remove(): Promise<void> {
    const removed = `${this.root}${removedSuffix}`;
    try {
      await fs.rename(this.root, removed);
    } catch (error) {
      if (!hasErrorCode(error, 'ENOENT')) throw error;
    }
    await fs.rm(removed, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** Ends the name of a folder that is being removed. */
export const removedSuffix = '.removed';

/** A batch with its folder. */
export interface SubmittedBatch {
  readonly batch: Batch;
  readonly folder: BatchFolder;
}

/** One task of a batch that was submitted. */
export interface PlacedJob {
  readonly submitted: SubmittedBatch;
  readonly index: number;
}

/** `12_3`; null while the job's id is unknown. */
export function jobOf({ jobId, isArray }: Batch, index: number): string | null {
  return jobId === null ? null : nameJob(jobId, isArray ? index : null);
}

/** `--profile full --set train.epochs=2`, ready to paste. */
export function describeSelection({ profile, set }: PlanSelection): string {
  const words = [
    ...(profile === null ? [] : ['--profile', profile]),
    ...set.flatMap((one) => ['--set', one]),
  ];
  return words.length === 0 ? 'the default settings' : quoteWords(words);
}

/** The user who submitted a job. Where a site hides jobs (`PrivateData=jobs`), Slurm shows it to no other user. */
interface Owner {
  readonly user: string;
  readonly uid: number;
}

/** The user of this process. */
export function findOwner(): Owner {
  // Systems without user ids (Windows) do not share a folder of jobs.
  const uid = process.getuid?.() ?? 0;
  try {
    return { user: os.userInfo().username, uid };
  } catch {
    // A container may not know its users' names.
    return { user: `user ${uid}`, uid };
  }
}

export function isOwn({ uid }: Owner): boolean {
  return uid === (process.getuid?.() ?? 0);
}

/** The error about another user's job that Slurm does not show: it may still be at work. */
export function hidden(job: string | null, { user }: Owner, folder: string): ReproError {
  return new ReproError(
    'locked',
    `${job === null ? 'a job' : `job ${job}`} of user "${user}" may still work in this folder: Slurm does not show it to you`,
    {
      where: folder,
      fix: `Only "${user}" can record its end (\`./repro attach\`) or cancel it (\`./repro cancel\`).`,
    },
  );
}

/** The id of a job or array. */
function isJobId(text: string): boolean {
  return /^\d+$/.test(text);
}

function isBatch(value: unknown): value is Batch {
  if (typeof value !== 'object' || value === null) return false;
  const {
    version,
    token,
    stage,
    name,
    comment,
    isArray,
    jobId,
    cluster,
    owner,
    submittedAt,
    selection,
    tasks,
  } = value as Partial<Batch>;
  return (
    version === 1 &&
    [token, stage, name, comment, cluster, submittedAt].every((one) => typeof one === 'string') &&
    typeof isArray === 'boolean' &&
    typeof owner?.user === 'string' &&
    Number.isSafeInteger(owner.uid) &&
    (jobId === null || (typeof jobId === 'string' && isJobId(jobId))) &&
    typeof selection === 'object' &&
    selection !== null &&
    (selection.profile === null || typeof selection.profile === 'string') &&
    Array.isArray(selection.set) &&
    Array.isArray(tasks) &&
    tasks.every((one) => Number.isSafeInteger(one?.index) && one.index >= 0 && typeof one.id === 'string')
  );
}

function isBatchTask(value: unknown): value is BatchTask {
  if (typeof value !== 'object' || value === null) return false;
  const { id, parts, isForced, after, attempt, continued } = value as Partial<BatchTask>;
  return (
    typeof id === 'string' &&
    areFingerprintParts(parts) &&
    typeof isForced === 'boolean' &&
    Array.isArray(after) &&
    after.every((one) => typeof one?.id === 'string' && typeof one.endFile === 'string') &&
    Number.isSafeInteger(attempt) &&
    Number.isSafeInteger(continued)
  );
}
