import { areFingerprintParts } from './fingerprint-parts.ts';
import type { RecordedOutput, RunRecord } from './records.ts';
import { isSha256 } from './sha256.ts';
import { isSafePath } from './tree-check.ts';

/**
 * Whether a value from a file is a record, every field of it: it may come from a remote cache. One that was cut off or written by another
 * version of the runner counts as missing: the stage runs again.
 */
export function isRunRecord(value: unknown): value is RunRecord {
  if (typeof value !== 'object' || value === null) return false;
  const record = value as Partial<RunRecord>;
  const { commit, dirty, log, overrides, peakMemoryBytes, sources, totalSeconds } = record;
  return (
    record.version === 1 &&
    [record.id, record.stage, record.host, record.node, record.profile].every(isText) &&
    isSha256(record.fingerprint) &&
    areFingerprintParts(record.parts) &&
    (sources === undefined || isMapOf(sources, isSha256)) &&
    areRecordedOutputs(record.outputs) &&
    areMetrics(record.metrics) &&
    (log === undefined || isSha256(log)) &&
    isTime(record.startedAt) &&
    isAmount(record.seconds) &&
    (totalSeconds === undefined || isAmount(totalSeconds)) &&
    (peakMemoryBytes === null || isAmount(peakMemoryBytes)) &&
    (overrides === undefined || (Array.isArray(overrides) && overrides.every(isText))) &&
    (commit === null || (isText(commit) && /^[0-9a-f]+$/.test(commit))) &&
    (dirty === null || typeof dirty === 'boolean')
  );
}

/** Whether a value from a file is a list of outputs whose digests can name files, and whose paths stay inside the project. */
export function areRecordedOutputs(value: unknown): value is RecordedOutput[] {
  return Array.isArray(value) && value.every(isRecordedOutput);
}

/** Whether a value from a file is what stages report as their figures. */
export function areMetrics(value: unknown): value is RunRecord['metrics'] {
  return isMapOf(value, (one) => one === null || ['number', 'string', 'boolean'].includes(typeof one));
}

function isRecordedOutput(value: unknown): value is RecordedOutput {
  if (typeof value !== 'object' || value === null) return false;
  const { path, kind, digest, sizeBytes, files, executable } = value as Partial<RecordedOutput>;
  return (
    isSafePath(path) &&
    (kind === 'file' || kind === 'folder') &&
    isSha256(digest) &&
    isCount(sizeBytes) &&
    isCount(files) &&
    (executable === undefined || (Array.isArray(executable) && executable.every(isSafePath)))
  );
}

/** Whether a value is an object, and every value in it passes a check. */
export function isMapOf(value: unknown, check: (one: unknown) => boolean): boolean {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && Object.values(value).every(check)
  );
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function isAmount(value: unknown): boolean {
  return Number.isFinite(value) && Number(value) >= 0;
}

/** Exactly as this runner writes it. */
function isTime(value: unknown): boolean {
  if (!isText(value)) return false;
  const time = new Date(value);
  return !Number.isNaN(time.getTime()) && time.toISOString() === value;
}
