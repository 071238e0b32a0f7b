import { type Dirent, readdirSync } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import { hasErrorCode, ReproError } from '../../errors.ts';
import { endFileName, listeningFileName } from '../../executors/slurm/job-script.ts';
import { nameJob } from '../../executors/slurm/job-state.ts';
import { writeFileAtomic } from '../../files/atomic-file.ts';
import type { FingerprintParts } from '../store/fingerprint-parts.ts';
import { isBatch, isBatchTask, isJobId } from './batch-shape.ts';
import { readClaim } from './claim.ts';
import type { Owner } from './owner.ts';
import { batchFileName, readStateFile, unreadable } from './state-file.ts';
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
  /** null until Slurm's answer is on disk, or a job has claimed the batch: until then it is found by its name. */
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
  /** What was known of its fingerprint then: inputs that other jobs were still to make have no digest. */
  readonly parts: FingerprintParts;
  readonly isForced: boolean;
  /** Instances that other jobs make before it, and where those say how they ended; absolute. */
  readonly after: readonly { readonly id: string; readonly endFile: string }[];
  /** 0 for the first submission, 1 for the next after a node failed, and so on. */
  readonly attempt: number;
  /** How often its instance had gone on in another job before, since the time of one was over. */
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

  /** Says which job it has: see `claim`. */
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

  /** Is there once the runner in the job takes signals. */
  listeningFile(index: number): string {
    return path.join(this.taskFolder(index), listeningFileName);
  }

  /**
   * null if the folder holds no batch: its author was killed before anything was submitted.
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

  /** All of it at once: half of a batch would be taken for one whose jobs still run, and a job could claim it again. */
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

/** Batches, the earliest first, and what is wrong with the others. */
export interface FoundBatches {
  readonly batches: readonly SubmittedBatch[];
  /** One for each batch that cannot be read. */
  readonly problems: readonly ReproError[];
}

/** All batches below the cache's folder of jobs, for who can do without some. */
export function findBatches(jobs: string): FoundBatches {
  const batches: SubmittedBatch[] = [];
  const problems: ReproError[] = [];
  const take = (look: () => void): void => {
    try {
      look();
    } catch (error) {
      if (!(error instanceof ReproError)) throw error;
      problems.push(error);
    }
  };
  take(() => {
    for (const root of listFolders(jobs)) {
      take(() => {
        const folder = new BatchFolder(root);
        const batch = folder.readBatch();
        if (batch !== null) batches.push({ batch, folder });
      });
    }
  });
  const at = ({ batch }: SubmittedBatch): string => batch.submittedAt;
  batches.sort((a, b) => Number(at(a) > at(b)) - Number(at(a) < at(b)));
  return { batches, problems };
}

/**
 * All batches below the cache's folder of jobs, the earliest first.
 *
 * @throws {ReproError} `jobs-unreadable`, `jobs-damaged`: its jobs may be at work
 */
export function listBatches(jobs: string): readonly SubmittedBatch[] {
  const { batches, problems } = findBatches(jobs);
  const [first] = problems;
  if (first !== undefined) throw first;
  return batches;
}

function listFolders(jobs: string): string[] {
  let entries: Dirent[];
  try {
    entries = readdirSync(jobs, { withFileTypes: true });
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return [];
    throw unreadable(jobs, error);
  }
  return entries
    .filter((entry) => entry.isDirectory() && !entry.name.endsWith(removedSuffix))
    .map(({ name }) => path.join(jobs, name));
}

/** `12_3`; null while the job's id is unknown. */
export function jobOf({ jobId, isArray }: Batch, index: number): string | null {
  return jobId === null ? null : nameJob(jobId, isArray ? index : null);
}
