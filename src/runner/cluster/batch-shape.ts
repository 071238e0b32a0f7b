import { areFingerprintParts } from '../store/fingerprint-parts.ts';
import type { Batch, BatchTask } from './batch.ts';

/** The id of a job or array. */
export function isJobId(text: string): boolean {
  return /^\d+$/.test(text);
}

export function isBatch(value: unknown): value is Batch {
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

export function isBatchTask(value: unknown): value is BatchTask {
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
