import { readFileSync } from 'node:fs';
import path from 'node:path';
import { writeFileAtomic } from '../../files/atomic-file.ts';
import { isSha256, requireSha256 } from '../../files/canonical-json.ts';
import type { MetricValue } from '../../stage/define-stage.ts';
import { formatMinute } from '../../text.ts';
import type { Plan } from '../plan/plan.ts';
import { type CacheFolder, cacheFolderOf, fileNameOf, listNames } from './cache-folder.ts';
import { isSafePath } from './digest.ts';
import { areFingerprintParts, type FingerprintParts } from './fingerprint-parts.ts';
import {
  type Check,
  isCount,
  isString,
  listOf,
  mapOf,
  nullable,
  oneOf,
  optionalField,
  parseJson,
  shape,
} from './shape.ts';

export interface RecordedOutput {
  readonly path: string;
  readonly kind: 'file' | 'folder';
  readonly digest: string;
  readonly sizeBytes: number;
  readonly files: number;
  /** The executable files of a folder, in order; absent if it has none. The digest does not cover them. */
  readonly executable?: readonly string[];
}

/** What one successful execution of an instance was made from, and what it produced. */
export interface RunRecord {
  readonly version: 1;
  readonly id: string;
  readonly stage: string;
  readonly fingerprint: string;
  readonly parts: FingerprintParts;
  readonly outputs: readonly RecordedOutput[];
  readonly metrics: Readonly<Record<string, MetricValue>>;
  /** sha256 of what it printed, if the store keeps it. */
  readonly log?: string;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  /** Of the execution that ended well. */
  readonly seconds: number;
  /** With those that it went on from, where there were some: interrupted, killed, or other jobs of a cluster. */
  readonly totalSeconds?: number;
  /** Largest resident set; null if unknown, as for `cmd:` stages. */
  readonly peakMemoryBytes: number | null;
  readonly host: string;
  readonly node: string;
  /** null outside a git repository, or without git. */
  readonly commit: string | null;
  /** Whether the working tree had changes not in `commit`; null if `commit` is. */
  readonly dirty: boolean | null;
  readonly profile: string;
  /** The `--set` assignments that reached the instance: then this is not the profile's result, but a trial's. */
  readonly overrides?: readonly string[];
}

/** The last record of each instance, and the record of each fingerprint. */
export class Records {
  readonly #folder: CacheFolder;

  constructor(folder: CacheFolder) {
    this.#folder = folder;
  }

  /** The last record of an instance; null if it never succeeded here, or if the file is damaged. */
  findLast(id: string): RunRecord | null {
    const record = readRecordFile(this.#lastFileOf(id));
    return record?.id === id ? record : null;
  }

  /** The record of an execution with this fingerprint, of any instance and profile. */
  findAction(fingerprint: string): RunRecord | null {
    const record = readRecordFile(this.#actionFileOf(fingerprint));
    return record?.fingerprint === fingerprint ? record : null;
  }

  /** Every recorded execution, of all instances and profiles, in no particular order. */
  listActions(): RunRecord[] {
    const { actions } = this.#folder;
    return listNames(actions).flatMap((part) => readRecords(path.join(actions, part)));
  }

  listLast(): RunRecord[] {
    return readRecords(this.#folder.records);
  }

  async write(record: RunRecord): Promise<void> {
    await this.writeAction(record);
    await this.writeLast(record);
  }

  /** Keeps a record under its fingerprint only, as one that was fetched. */
  async writeAction(record: RunRecord): Promise<void> {
    await writeFileAtomic(this.#actionFileOf(record.fingerprint), `${JSON.stringify(record, null, 2)}\n`);
  }

  /** Makes a record already stored under its fingerprint the last one of its instance. */
  async writeLast(record: RunRecord): Promise<void> {
    await writeFileAtomic(this.#lastFileOf(record.id), `${JSON.stringify(record, null, 2)}\n`);
  }

  #lastFileOf(id: string): string {
    return path.join(this.#folder.records, `${fileNameOf(id)}.json`);
  }

  #actionFileOf(fingerprint: string): string {
    return path.join(this.#folder.actions, requireSha256(fingerprint).slice(0, 2), `${fingerprint}.json`);
  }
}

export function openRecords(plan: Plan): Records {
  return new Records(cacheFolderOf(plan));
}

export async function readRecord(plan: Plan, id: string): Promise<RunRecord | null> {
  return openRecords(plan).findLast(id);
}

type Configured = Pick<RunRecord, 'profile' | 'overrides'>;

/** `profile quick`, `profile quick with train.epochs=3`. */
export function describeConfiguration(record: Configured): string {
  return `profile ${nameConfiguration(record)}`;
}

/** `quick`, `quick with train.epochs=3`. */
export function nameConfiguration({ profile, overrides }: Configured): string {
  return `${profile}${overrides === undefined ? '' : ` with ${overrides.join(', ')}`}`;
}

/** `run with train.epochs=3`, `run of profile full`; or, if that is the present one, too, `run of 2026-11-27 10:15 UTC`. */
export function describeRun(record: Configured & Pick<RunRecord, 'startedAt'>, present: string): string {
  if (record.profile !== present) return `run of ${describeConfiguration(record)}`;
  if (record.overrides !== undefined) return `run with ${record.overrides.join(', ')}`;
  return `run of ${formatMinute(record.startedAt)}`;
}

/** A record from any file; null if the file is missing or no complete record of this version. */
export function readRecordFile(file: string): RunRecord | null {
  try {
    const value = parseJson(readFileSync(file, 'utf8'));
    return isRunRecord(value) ? value : null;
  } catch {
    return null;
  }
}

function readRecords(folder: string): RunRecord[] {
  const files = listNames(folder).filter((name) => name.endsWith('.json'));
  return files.map((name) => readRecordFile(path.join(folder, name))).filter((record) => record !== null);
}

export function haveSameDigests(a: readonly RecordedOutput[], b: readonly RecordedOutput[]): boolean {
  return a.length === b.length && a.every(({ digest }, i) => digest === b[i]?.digest);
}

/** How long it takes to make what a record is about, in seconds: with all executions that led to it. */
export function durationOf({ seconds, totalSeconds }: Pick<RunRecord, 'seconds' | 'totalSeconds'>): number {
  return totalSeconds ?? seconds;
}

/** Outputs whose digests can name files, and whose paths stay inside the project. */
const areOutputs = listOf(
  shape<RecordedOutput>({
    path: isSafePath,
    kind: oneOf('file', 'folder'),
    digest: isSha256,
    sizeBytes: isCount,
    files: isCount,
    executable: optionalField(listOf(isSafePath)),
  }),
);

/** What stages report as their figures. */
const areMetrics = mapOf(
  (one) => one === null || Number.isFinite(one) || ['string', 'boolean'].includes(typeof one),
);

const isAmount = (most: number): Check => {
  return (value) => Number.isFinite(value) && Number(value) >= 0 && Number(value) <= most;
};

/** A century, and a petabyte: more is made up. */
const [isDuration, isMemory] = [isAmount(3.2e9), isAmount(1e15)];

/** Exactly as this runner writes it. */
const isTime: Check = (value) => {
  const time = new Date(isString(value) ? value : '');
  return !Number.isNaN(time.getTime()) && time.toISOString() === value;
};

/**
 * Whether a value from a file is a record, every field of it: it may come from a remote cache. One that was cut off or written by another
 * version of the runner counts as missing: the stage runs again.
 */
export const isRunRecord = shape<RunRecord>({
  version: oneOf(1),
  id: isString,
  stage: isString,
  fingerprint: isSha256,
  parts: areFingerprintParts,
  outputs: areOutputs,
  metrics: areMetrics,
  log: optionalField(isSha256),
  startedAt: isTime,
  seconds: isDuration,
  totalSeconds: optionalField(isDuration),
  peakMemoryBytes: nullable(isMemory),
  host: isString,
  node: isString,
  commit: nullable((one) => isString(one) && /^[0-9a-f]+$/.test(one)),
  dirty: nullable((one) => typeof one === 'boolean'),
  profile: isString,
  overrides: optionalField(listOf(isString)),
});
