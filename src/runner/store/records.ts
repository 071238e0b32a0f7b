import { readFileSync } from 'node:fs';
import path from 'node:path';
import * as v from 'valibot';
import { writeFileAtomic } from '../../base/files/atomic-file.ts';
import { requireSha256 } from '../../base/files/canonical-json.ts';
import { count, number, parseJson, type Value } from '../../base/files/shape.ts';
import { formatMinute } from '../../base/text.ts';
import type { Plan } from '../plan/plan.ts';
import { type CacheFolder, cacheFolderOf, fileNameOf, listNames, listParts } from './cache-folder.ts';
import { safePath, sha256 } from './digest.ts';
import { type FingerprintParts, partsShape } from './fingerprint-parts.ts';

const outputShape = v.object({
  path: safePath,
  kind: v.picklist(['file', 'folder']),
  digest: sha256,
  sizeBytes: count,
  files: count,
  /** The executable files of a folder, in order; absent if it has none. The digest does not cover them. */
  executable: v.exactOptional(v.array(safePath)),
});
export type RecordedOutput = Value<typeof outputShape>;

const amount = (most: number) => v.pipe(number, v.minValue(0), v.maxValue(most));

/** At most a century: more is made up. */
const duration = amount(3.2e9);

/** Exactly as this runner writes it. */
const time = v.pipe(
  v.string(),
  v.check((text) => new Date(text).toJSON() === text),
);

/** Every field: a record may come from a remote cache. */
const recordShape = v.object({
  version: v.literal(1),
  id: v.string(),
  stage: v.string(),
  fingerprint: sha256,
  parts: partsShape,
  outputs: v.array(outputShape),
  metrics: v.record(v.string(), v.nullable(v.union([v.string(), v.boolean(), number]))),
  /** sha256 of what it printed, if the store keeps it. */
  log: v.exactOptional(sha256),
  /** ISO 8601, UTC. */
  startedAt: time,
  /** Of the execution that ended well. */
  seconds: duration,
  /** With those that it went on from, where there were some: interrupted, killed, or other jobs of a cluster. */
  totalSeconds: v.exactOptional(duration),
  /** Largest resident set, at most a petabyte; null if unknown, as for `cmd:` stages. */
  peakMemoryBytes: v.nullable(amount(1e15)),
  host: v.string(),
  node: v.string(),
  /** null outside a git repository, or without git. */
  commit: v.nullable(v.pipe(v.string(), v.regex(/^[0-9a-f]+$/))),
  /** Whether the working tree had changes not in `commit`; null if `commit` is. */
  dirty: v.nullable(v.boolean()),
  profile: v.string(),
  /** The `--set` assignments that reached the instance: then this is not the profile's result, but a trial's. */
  overrides: v.exactOptional(v.array(v.string())),
});

/** What one successful execution of an instance was made from, and what it produced. */
export type RunRecord = Omit<Value<typeof recordShape>, 'parts'> & { readonly parts: FingerprintParts };

/**
 * Whether a value from a file is a record. One that was cut off or written by another version of the runner counts as missing: the stage
 * runs again.
 */
export function isRunRecord(value: unknown): value is RunRecord {
  return v.is(recordShape, value);
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

  /** Notes, unless it is noted already, that this record of an instance is the last that a profile used: `gc` keeps it. */
  async noteUse(profile: string, { id, fingerprint }: RunRecord): Promise<void> {
    const file = path.join(this.#folder.profiles, fileNameOf(profile), fileNameOf(id));
    if (readNote(file) !== fingerprint) await writeFileAtomic(file, fingerprint);
  }

  /** The fingerprints of all records that are the last that a profile used. */
  async listUsed(): Promise<ReadonlySet<string | null>> {
    return new Set((await listParts(this.#folder.profiles)).map(readNote));
  }

  #lastFileOf(id: string): string {
    return path.join(this.#folder.records, `${fileNameOf(id)}.json`);
  }

  #actionFileOf(fingerprint: string): string {
    return path.join(this.#folder.actions, requireSha256(fingerprint).slice(0, 2), `${fingerprint}.json`);
  }
}

export function openRecords(plan: Pick<Plan, 'projectRoot'>): Records {
  return new Records(cacheFolderOf(plan));
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

function readNote(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
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
