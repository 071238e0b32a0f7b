import { existsSync } from 'node:fs';
import path from 'node:path';
import { ReproError } from '../../base/errors.ts';
import { compareCodeUnits } from '../../base/files/canonical-json.ts';
import type { Plan, StageInstance } from '../plan/plan.ts';
import { type Records, type RunRecord, readRecordFile } from '../store/records.ts';

export function listRuns(records: Records, { id }: StageInstance): RunRecord[] {
  const found = new Map(records.listActions().map((record) => [record.fingerprint, record]));
  // Its record says when it last ran, which may be later than when this fingerprint was first computed.
  const last = records.findLast(id);
  if (last !== null) found.set(last.fingerprint, last);
  return [...found.values()]
    .filter((record) => record.id === id)
    .sort((a, b) => compareCodeUnits(b.startedAt, a.startedAt));
}

interface RunSearch {
  readonly plan: Plan;
  readonly records: Records;
  readonly instance: StageInstance;
}

/**
 * The recorded run that `--against` names: `last`, a file with a record, another instance, a profile, the beginning of a
 * fingerprint or a commit, or a time (the latest run up to then). null only for `last`, if there was none.
 *
 * @throws {ReproError} `no-record`, with the runs there are
 */
export function findRecordedRun(wanted: string, search: RunSearch): RunRecord | null {
  const { plan, records, instance } = search;
  const where = `--against ${wanted}`;
  if (wanted === 'last') return records.findLast(instance.id);
  if (wanted.endsWith('.json')) return readGivenFile(wanted);
  if (plan.instances.has(wanted)) {
    const record = records.findLast(wanted);
    if (record !== null) return record;
    throw new ReproError('no-record', `"${wanted}" has not run here`, { where });
  }
  const runs = listRuns(records, instance);
  const found = findAmong(runs, wanted, where);
  if (found !== undefined) return found;
  const profiles = [...new Set(runs.map((run) => run.profile))].sort(compareCodeUnits);
  throw new ReproError('no-record', `no recorded run of "${instance.id}" matches "${wanted}"`, {
    where,
    fix:
      runs.length === 0
        ? `It has not run here. Run it: ./repro run ${instance.id}`
        : `There are ${runs.length}, of ${profiles.join(', ')}; list them: ./repro explain ${instance.id} --list`,
  });
}

/**
 * The run that a profile, the beginning of a fingerprint or a commit, or a time names.
 *
 * @param runs of one instance, the latest first
 * @throws {ReproError} `usage` if several fingerprints begin like this
 */
export function findAmong(runs: readonly RunRecord[], wanted: string, where: string): RunRecord | undefined {
  return (
    runs.find((run) => run.profile === wanted) ?? findByHash(runs, wanted, where) ?? findByTime(runs, wanted)
  );
}

function readGivenFile(file: string): RunRecord {
  const record = readRecordFile(path.resolve(file));
  if (record !== null) return record;
  const text = existsSync(file) ? 'this is not a record of a run' : 'this file does not exist';
  throw new ReproError('no-record', text, {
    where: file,
    fix: 'Records are in artifacts/.cache/records.',
  });
}

function findByHash(runs: readonly RunRecord[], wanted: string, where: string): RunRecord | undefined {
  if (!/^[0-9a-f]{4,64}$/.test(wanted)) return undefined;
  const found = runs.filter((run) => run.fingerprint.startsWith(wanted));
  if (found.length > 1) {
    throw new ReproError('usage', `the fingerprints of ${found.length} runs begin with "${wanted}"`, {
      where,
      fix: `Write more of it: ${found.map((run) => run.fingerprint.slice(0, wanted.length + 4)).join(', ')}`,
    });
  }
  // Several runs of one commit are common; the latest is what it led to.
  return found[0] ?? runs.find((run) => run.commit?.startsWith(wanted) === true);
}

/** The latest run started by a time in UTC, such as `2026-11-20` (to its end) or `2026-11-20T14:30`. */
function findByTime(runs: readonly RunRecord[], wanted: string): RunRecord | undefined {
  if (!/^\d{4}-\d{2}(-\d{2}(T\d{2}(:\d{2}(:\d{2}(\.\d+)?)?)?)?)?Z?$/.test(wanted)) return undefined;
  const begin = wanted.replace(/Z$/, '');
  return runs.find((run) => run.startedAt < begin || run.startedAt.startsWith(begin));
}
