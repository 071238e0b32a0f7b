import { isUtf8 } from 'node:buffer';
import { closeSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import { compareCodeUnits } from '../../../files/canonical-json.ts';
import { acquireLock } from '../../../files/lock.ts';
import { getOwn } from '../../../schema/json.ts';
import type { MetricValue } from '../../../stage/define-stage.ts';
import { shortenText } from '../../../text.ts';
import type { Plan, StageInstance } from '../../plan/plan.ts';
import { type RunOptions, type RunOutcome, runPlan } from '../../run/run.ts';
import { type CacheFolder, cacheFolderOf, fileNameOf } from '../../store/cache-folder.ts';
import { haveSameFingerprint } from '../../store/fingerprint-parts.ts';
import { type RecordedOutput, Records, type RunRecord } from '../../store/records.ts';
import { Store } from '../../store/store.ts';

/** Everything that an audit writes; relative to the project. The runner's own folder beside it stays untouched. */
export const auditFolder = 'artifacts/.audit';

interface FileDifference {
  /** The offset of the first byte that differs; the smaller size if one file continues where the other ends. */
  readonly firstByte: number;
  readonly sizes: readonly [number, number];
  /** The line of a text in which that byte is, in both files. */
  readonly line: string | null;
}

export interface AuditedFile {
  /** In the output; empty if the output is itself a file. */
  readonly path: string;
  readonly change: 'differs' | 'only-in-first' | 'not-in-first' | 'empty-folder';
  /** The run that differs from the first. */
  readonly run: number;
  readonly difference: FileDifference | null;
}

export interface AuditedOutput {
  /** Where a normal run puts it. */
  readonly path: string;
  readonly digests: readonly string[];
  readonly files: readonly AuditedFile[];
}

export interface AuditedMetric {
  readonly name: string;
  /** One for each run; null if the run did not report it. */
  readonly values: readonly (MetricValue | null)[];
}

export interface Audit {
  readonly id: string;
  readonly outcome: RunOutcome;
  readonly seconds: readonly number[];
  readonly outputs: readonly AuditedOutput[];
  /** Those that differ. */
  readonly metrics: readonly AuditedMetric[];
  /** Whether the first run wrote what is recorded of the same code, inputs and parameters; null: nothing is. */
  readonly isAsRecorded: boolean | null;
  /** Whether all bytes are equal, also to those recorded. */
  readonly isSame: boolean;
}

interface AuditOptions
  extends Pick<RunOptions, 'facts' | 'jobs' | 'signal' | 'killSignal' | 'onEvent' | 'environment'> {
  readonly runs: number;
  /** Leaves the outputs for inspection; the next audit removes them. */
  readonly keep: boolean;
}

/**
 * Runs each instance several times from scratch, with the inputs that are in place, and compares what they wrote. Results in
 * place, records and the store stay as they are.
 *
 * @throws {ReproError} `locked` if a run holds the folder: it could replace the inputs meanwhile
 */
export async function auditInstances(
  plan: Plan,
  instances: readonly StageInstance[],
  options: AuditOptions,
): Promise<Audit[]> {
  const cache = cacheFolderOf(plan);
  const folder = cacheFolderOf(plan, path.join(plan.projectRoot, auditFolder));
  const clear = () => fs.rm(folder.root, { recursive: true, force: true });
  const lock = await acquireLock(cache.lock);
  try {
    await clear();
    await fs.mkdir(folder.root, { recursive: true });
    // Hashes of inputs that are known already: reading a data set again would tell nothing.
    await fs.copyFile(cache.digests, folder.digests).catch(() => {});
    const audits: Audit[] = [];
    for (const instance of instances) {
      audits.push(await auditOne(plan, instance, folder, options));
      if (audits.at(-1)?.outcome === 'interrupted') break;
    }
    return audits;
  } finally {
    if (!options.keep) await clear().catch(() => {});
    await lock.release();
  }
}

async function auditOne(
  plan: Plan,
  instance: StageInstance,
  folder: CacheFolder,
  options: AuditOptions,
): Promise<Audit> {
  const { id } = instance;
  const { runs } = options;
  const records: RunRecord[] = [];
  for (let number = 1; number <= runs; number += 1) {
    options.onEvent({ kind: 'note', id, level: 'note', text: `run ${number} of ${runs}` });
    const outcome = await runOnce(plan, instance, number, folder, options);
    const record = outcome === 'ok' ? new Records(folder).findLast(id) : null;
    if (record === null) {
      const end = outcome === 'ok' ? 'failed' : outcome;
      return { id, outcome: end, seconds: [], outputs: [], metrics: [], isAsRecorded: null, isSame: false };
    }
    records.push(record);
  }
  const store = new Store(folder.store);
  const outputs: AuditedOutput[] = [];
  for (const [i, output] of instance.outputs.entries()) {
    const found = records.map((record) => record.outputs[i]).filter((one) => one !== undefined);
    const files = await compareOutputs(plan, store, found);
    outputs.push({ path: output, digests: found.map(({ digest }) => digest), files });
  }
  const metrics = compareMetrics(records);
  const isAsRecorded = compareRecorded(plan, id, records);
  const isSame = isAsRecorded !== false && outputs.every(({ digests }) => new Set(digests).size === 1);
  const seconds = records.map((record) => record.seconds);
  return { id, outcome: 'ok', seconds, outputs, metrics, isAsRecorded, isSame };
}

/** Runs an instance with its outputs in `artifacts/.audit/run-<number>/<id>`. */
async function runOnce(
  plan: Plan,
  instance: StageInstance,
  number: number,
  { root }: CacheFolder,
  { facts, jobs, signal, killSignal, onEvent, environment }: AuditOptions,
): Promise<RunOutcome> {
  const move = (kind: string) => (one: string, at: number) =>
    `${auditFolder}/run-${number}/${fileNameOf(instance.id)}/${kind}-${at}/${path.posix.basename(one)}`;
  const moved: StageInstance = {
    ...instance,
    outputs: instance.outputs.map(move('output')),
    resume: instance.resume.map(move('resume')),
  };
  const { outcome } = await runPlan({
    plan: { ...plan, instances: new Map(plan.instances).set(instance.id, moved) },
    selected: new Set([instance.id]),
    force: true,
    ...{ jobs, facts, signal, onEvent, cacheRoot: root },
    ...(killSignal === undefined ? {} : { killSignal }),
    ...(environment === undefined ? {} : { environment }),
  });
  return outcome;
}

/** A difference from a record of the same fingerprint shows what the fingerprint does not cover: an input that is not declared. */
function compareRecorded(plan: Plan, id: string, [first]: readonly RunRecord[]): boolean | null {
  const recorded = new Records(cacheFolderOf(plan)).findLast(id);
  if (recorded === null || first === undefined) return null;
  const parts = { ...first.parts, outputs: recorded.parts.outputs };
  if (!haveSameFingerprint(recorded.parts, parts)) return null;
  return first.outputs.every(({ digest }, i) => digest === recorded.outputs[i]?.digest);
}

/** What differs between the first run's output and each of the others, file by file. */
async function compareOutputs(
  { projectRoot }: Plan,
  store: Store,
  [first, ...others]: readonly RecordedOutput[],
): Promise<AuditedFile[]> {
  const files: AuditedFile[] = [];
  if (first === undefined) return files;
  const listed = await listFiles(store, first);
  for (const [i, output] of others.entries()) {
    if (output.digest === first.digest) continue;
    const run = i + 2;
    const present = await listFiles(store, output);
    const before = files.length;
    for (const file of [...new Set([...listed.keys(), ...present.keys()])].sort(compareCodeUnits)) {
      const [a, b] = [listed.get(file), present.get(file)];
      if (a === b) continue;
      if (a === undefined || b === undefined) {
        const change = b === undefined ? 'only-in-first' : 'not-in-first';
        files.push({ path: file, change, run, difference: null });
        continue;
      }
      const [one, other] = [first, output].map((made) => path.join(projectRoot, made.path, file));
      const difference = compareFiles(one ?? '', other ?? '');
      files.push({ path: file, change: 'differs', run, difference });
    }
    // Otherwise the digests could not differ.
    if (files.length === before) files.push({ path: '', change: 'empty-folder', run, difference: null });
  }
  return files;
}

/** File -> sha256; the empty path for an output that is itself a file. */
async function listFiles(store: Store, output: RecordedOutput): Promise<Map<string, string>> {
  if (output.kind === 'file') return new Map([['', output.digest]]);
  const tree = await store.findTree(output.digest);
  return new Map(tree?.entries.map((entry) => [entry.path, entry.sha256]) ?? []);
}

function compareMetrics(records: readonly RunRecord[]): AuditedMetric[] {
  const names = new Set(records.flatMap((record) => Object.keys(record.metrics)));
  return [...names]
    .map((name) => ({ name, values: records.map((record) => getOwn(record.metrics, name) ?? null) }))
    .filter(({ values }) => values.some((value) => !Object.is(value, values[0])));
}

const blockBytes = 1 << 20;

/** In larger files the line is not looked up: they would have to fit into memory, twice. */
const readBytesAtMost = 256 * 2 ** 20;

const lineLengthAtMost = 80;

/** Compares two files that are known to differ. */
function compareFiles(first: string, second: string): FileDifference {
  const firstByte = findFirstDifference(first, second);
  const sizes = [statSync(first).size, statSync(second).size] as const;
  const line = Math.max(...sizes) > readBytesAtMost ? null : findLine(first, second, firstByte);
  return { firstByte, sizes, line };
}

function findFirstDifference(first: string, second: string): number {
  const [a, b] = [openSync(first, 'r'), openSync(second, 'r')];
  const [blockA, blockB] = [Buffer.alloc(blockBytes), Buffer.alloc(blockBytes)];
  try {
    for (let offset = 0; ; offset += blockBytes) {
      const [readA, readB] = [
        readSync(a, blockA, { position: offset }),
        readSync(b, blockB, { position: offset }),
      ];
      const shared = Math.min(readA, readB);
      if (blockA.compare(blockB, 0, shared, 0, shared) !== 0) {
        return offset + blockA.findIndex((byte, i) => byte !== blockB[i]);
      }
      if (shared < blockBytes) return offset + shared;
    }
  } finally {
    closeSync(a);
    closeSync(b);
  }
}

function findLine(first: string, second: string, firstByte: number): string | null {
  const files = [readFileSync(first), readFileSync(second)] as const;
  if (files.some((bytes) => bytes.includes(0) || !isUtf8(bytes))) return null;
  const line = files[0].subarray(0, firstByte).filter((byte) => byte === 0x0a).length;
  const shown = files.map((bytes) => {
    const found = bytes.toString().split('\n')[line];
    return found === undefined ? 'nothing' : shortenText(JSON.stringify(found), lineLengthAtMost);
  });
  return `line ${line + 1}: ${shown.join(', then ')}`;
}
