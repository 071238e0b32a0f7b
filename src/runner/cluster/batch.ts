import { readdirSync, readFileSync } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import { nameJob } from '../../executors/slurm/job-state.ts';
import { writeFileAtomic } from '../../files/atomic-file.ts';
import { areFingerprintParts, type FingerprintParts } from '../fingerprint/fingerprint.ts';
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
  /** null until Slurm's answer is on disk: a runner that was killed before that finds the job by its name. */
  readonly jobId: string | null;
  readonly cluster: string;
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
}

/** The files of one batch. */
export class BatchFolder {
  /** Absolute. */
  readonly root: string;

  constructor(root: string) {
    this.root = root;
  }

  get batchFile(): string {
    return path.join(this.root, 'batch.json');
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
    return path.join(this.taskFolder(index), 'end.json');
  }

  /** null if the folder holds no complete batch: its author was killed before anything was submitted. */
  readBatch(): Batch | null {
    const value = readJson(this.batchFile);
    return isBatch(value) ? value : null;
  }

  writeBatch(batch: Batch): Promise<void> {
    return writeFileAtomic(this.batchFile, `${JSON.stringify(batch, null, 2)}\n`);
  }

  readTask(index: number): BatchTask | null {
    const value = readJson(path.join(this.taskFolder(index), 'task.json'));
    return isBatchTask(value) ? value : null;
  }

  writeTask(index: number, task: BatchTask): Promise<void> {
    return writeFileAtomic(path.join(this.taskFolder(index), 'task.json'), JSON.stringify(task));
  }

  readEnd(index: number): TaskEnd | null {
    return readTaskEnd(this.endFile(index));
  }

  async remove(): Promise<void> {
    // First what makes it a batch: half of one would be taken for one whose jobs still run.
    await fs.rm(this.batchFile, { force: true });
    await fs.rm(this.root, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** A batch with its folder. */
export interface SubmittedBatch {
  readonly batch: Batch;
  readonly folder: BatchFolder;
}

/** All batches below the cache's folder of jobs, the earliest first. */
export function listBatches(jobs: string): SubmittedBatch[] {
  let names: string[];
  try {
    names = readdirSync(jobs);
  } catch {
    return [];
  }
  return names
    .map((name) => new BatchFolder(path.join(jobs, name)))
    .flatMap((folder) => {
      const batch = folder.readBatch();
      return batch === null ? [] : [{ batch, folder }];
    })
    .sort(
      (a, b) =>
        Number(a.batch.submittedAt > b.batch.submittedAt) - Number(a.batch.submittedAt < b.batch.submittedAt),
    );
}

/** `12_3`; null while the job's id is unknown. */
export function jobOf({ jobId, isArray }: Batch, index: number): string | null {
  return jobId === null ? null : nameJob(jobId, isArray ? index : null);
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return null;
  }
}

function isBatch(value: unknown): value is Batch {
  if (typeof value !== 'object' || value === null) return false;
  const { version, token, stage, name, comment, isArray, jobId, cluster, submittedAt, selection, tasks } =
    value as Partial<Batch>;
  return (
    version === 1 &&
    [token, stage, name, comment, cluster, submittedAt].every((one) => typeof one === 'string') &&
    typeof isArray === 'boolean' &&
    (jobId === null || (typeof jobId === 'string' && /^\d+$/.test(jobId))) &&
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
  const { id, parts, isForced, after, attempt } = value as Partial<BatchTask>;
  return (
    typeof id === 'string' &&
    areFingerprintParts(parts) &&
    typeof isForced === 'boolean' &&
    Array.isArray(after) &&
    after.every((one) => typeof one?.id === 'string' && typeof one.endFile === 'string') &&
    Number.isSafeInteger(attempt)
  );
}
