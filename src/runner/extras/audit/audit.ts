import path from 'node:path';
import { ReproError } from '../../../errors.ts';
import { compareCodeUnits } from '../../../files/canonical-json.ts';
import { suggestName } from '../../../schema/closest-name.ts';
import { getOwn } from '../../../schema/json.ts';
import type { MetricValue } from '../../../stage/define-stage.ts';
import type { Plan, StageInstance } from '../../plan/plan.ts';
import type { RunOutcome } from '../../run/run.ts';
import { cacheFolderOf } from '../../store/cache-folder.ts';
import { haveSameFingerprint } from '../../store/fingerprint-parts.ts';
import { type RecordedOutput, Records, type RunRecord } from '../../store/records.ts';
import { compareFiles, type FileComparers, type FileDifference } from './compare-files.ts';
import { type ScratchOptions, ScratchRuns } from './scratch-runs.ts';

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
  /** The largest distance from the first run; null if they are not all numbers. */
  readonly distance: number | null;
  /** null: not asked for. */
  readonly tolerance: number | null;
  readonly isWithin: boolean;
}

export interface Audit {
  readonly id: string;
  readonly outcome: RunOutcome;
  readonly seconds: readonly number[];
  readonly outputs: readonly AuditedOutput[];
  readonly metrics: readonly AuditedMetric[];
  /** Whether the first run wrote what is recorded of the same code, inputs and parameters; null: nothing is. */
  readonly isAsRecorded: boolean | null;
  /** Whether all bytes are equal, also to those recorded, or, if tolerances were given, the metrics that they name are within them. */
  readonly isSame: boolean;
}

interface AuditOptions extends ScratchOptions {
  readonly runs: number;
  /** Metric -> the largest distance allowed; `*` for all others. Empty: bytes count. */
  readonly tolerances: ReadonlyMap<string, number>;
  readonly comparers: FileComparers;
  readonly keep: boolean;
}

/**
 * Runs each instance several times from scratch, with the inputs that are in place, and compares what they wrote. Results in
 * place, records and the store stay as they are.
 *
 * @throws {ReproError} `locked`
 */
export async function auditInstances(
  plan: Plan,
  instances: readonly StageInstance[],
  options: AuditOptions,
): Promise<Audit[]> {
  const scratch = await ScratchRuns.open(plan, options);
  const audits: Audit[] = [];
  try {
    for (const instance of instances) {
      const audit = await auditOne(scratch, plan, instance, options);
      audits.push(audit);
      if (audit.outcome === 'interrupted') break;
    }
  } finally {
    await scratch.close(options);
  }
  return audits;
}

async function auditOne(
  scratch: ScratchRuns,
  plan: Plan,
  instance: StageInstance,
  options: AuditOptions,
): Promise<Audit> {
  const records: RunRecord[] = [];
  for (let number = 1; number <= options.runs; number += 1) {
    const text = `run ${number} of ${options.runs}`;
    options.onEvent({ kind: 'note', id: instance.id, level: 'note', text });
    const { outcome, record } = await scratch.run(instance, number);
    if (record === null) {
      const end = outcome === 'ok' ? 'failed' : outcome;
      return {
        id: instance.id,
        outcome: end,
        seconds: [],
        outputs: [],
        metrics: [],
        isAsRecorded: null,
        isSame: false,
      };
    }
    records.push(record);
    if (number === 1) assertMetrics(instance, record, options.tolerances);
  }
  const outputs: AuditedOutput[] = [];
  for (const [i, output] of instance.outputs.entries()) {
    const found = records.map((record) => record.outputs[i]).filter((one) => one !== undefined);
    outputs.push({
      path: output,
      digests: found.map(({ digest }) => digest),
      files: await compareOutputs(scratch, plan, found, options.comparers),
    });
  }
  const metrics = compareMetrics(records, options.tolerances);
  const isAsRecorded = compareRecorded(plan, instance, records);
  return {
    id: instance.id,
    outcome: 'ok',
    seconds: records.map((record) => record.seconds),
    outputs,
    metrics,
    isAsRecorded,
    isSame:
      options.tolerances.size > 0
        ? metrics.every((one) => one.tolerance === null || one.isWithin)
        : isAsRecorded !== false && outputs.every(({ digests }) => new Set(digests).size === 1),
  };
}

/** After the first run rather than all of them: what a stage measures is not known before. */
function assertMetrics(
  { id }: StageInstance,
  { metrics }: RunRecord,
  tolerances: ReadonlyMap<string, number>,
): void {
  const names = Object.keys(metrics);
  const unknown = [...tolerances.keys()].find((name) => name !== '*' && !Object.hasOwn(metrics, name));
  if (unknown === undefined) return;
  throw new ReproError('usage', `--tolerance: ${id} reports no metric "${unknown}"`, {
    fix: names.length === 0 ? 'It reports none at all.' : suggestName(unknown, names),
  });
}

/** A difference from a record of the same fingerprint shows what the fingerprint does not cover: an input that is not declared. */
function compareRecorded(plan: Plan, instance: StageInstance, [first]: readonly RunRecord[]): boolean | null {
  const recorded = new Records(cacheFolderOf(plan)).findLast(instance.id);
  if (recorded === null || first === undefined) return null;
  const parts = { ...first.parts, outputs: recorded.parts.outputs };
  if (!haveSameFingerprint(recorded.parts, parts)) return null;
  return first.outputs.every(({ digest }, i) => digest === recorded.outputs[i]?.digest);
}

async function compareOutputs(
  scratch: ScratchRuns,
  plan: Plan,
  [first, ...others]: readonly RecordedOutput[],
  comparers: FileComparers,
): Promise<AuditedFile[]> {
  const files: AuditedFile[] = [];
  if (first === undefined) return files;
  const listed = await listFiles(scratch, first);
  const placeOf = (output: RecordedOutput, file: string): string =>
    path.join(plan.projectRoot, output.path, file);
  for (const [i, output] of others.entries()) {
    if (output.digest === first.digest) continue;
    const run = i + 2;
    const present = await listFiles(scratch, output);
    for (const file of [...new Set([...listed.keys(), ...present.keys()])].sort(compareCodeUnits)) {
      const [a, b] = [listed.get(file), present.get(file)];
      if (a === b) continue;
      if (a === undefined || b === undefined) {
        const change = b === undefined ? 'only-in-first' : 'not-in-first';
        files.push({ path: file, change, run, difference: null });
        continue;
      }
      const difference = await compareFiles(placeOf(first, file), placeOf(output, file), comparers);
      files.push({ path: file, change: 'differs', run, difference });
    }
    // Otherwise the digests could not differ.
    if (!files.some((one) => one.run === run)) {
      files.push({ path: '', change: 'empty-folder', run, difference: null });
    }
  }
  return files;
}

/** File -> sha256; the empty path for an output that is itself a file. */
async function listFiles(scratch: ScratchRuns, output: RecordedOutput): Promise<Map<string, string>> {
  if (output.kind === 'file') return new Map([['', output.digest]]);
  const tree = await scratch.store.findTree(output.digest);
  return new Map(tree?.entries.map((entry) => [entry.path, entry.sha256]) ?? []);
}

function compareMetrics(
  records: readonly RunRecord[],
  tolerances: ReadonlyMap<string, number>,
): AuditedMetric[] {
  const asked = [...tolerances.keys()].filter((name) => name !== '*');
  const names = new Set([...records.flatMap((record) => Object.keys(record.metrics)), ...asked]);
  return [...names].map((name) => {
    const values = records.map((record) => getOwn(record.metrics, name) ?? null);
    const tolerance = tolerances.get(name) ?? tolerances.get('*') ?? null;
    const distance = distanceOf(values);
    const isEqual = values.every((value) => value !== null && Object.is(value, values[0]));
    return {
      name,
      values,
      distance,
      tolerance,
      isWithin: isEqual || (distance !== null && distance <= (tolerance ?? 0)),
    };
  });
}

function distanceOf(values: readonly (MetricValue | null)[]): number | null {
  const numbers = values.filter((value) => typeof value === 'number');
  const [first] = numbers;
  if (first === undefined || numbers.length < values.length) return null;
  return Math.max(...numbers.map((value) => Math.abs(value - first)));
}
