import fs from 'node:fs/promises';
import path from 'node:path';
import { hasErrorCode, ReproError } from '../../../errors.ts';
import { compareCodeUnits } from '../../../files/canonical-json.ts';
import { explainDiskError } from '../../../files/disk-error.ts';
import { acquireLock, type Lock } from '../../../files/lock.ts';
import { refuseOutstanding } from '../../jobs/jobs-folder.ts';
import { type CacheFolder, cacheFolderOf } from '../../store/cache-folder.ts';
import type { Tree } from '../../store/digest.ts';
import { Records, type RunRecord } from '../../store/records.ts';
import { Store } from '../../store/store.ts';
import { findGarbage, type Garbage, sweep } from './find-garbage.ts';
import { findKept, isNamed, type KeepRule } from './kept-records.ts';

export interface GarbageOptions {
  readonly projectRoot: string;
  readonly rules: readonly KeepRule[];
  /** Stages or instances whose last results need not be kept. */
  readonly forgotten?: readonly string[];
  /** Fingerprints of what the profiles would restore: all of it is kept. */
  readonly restorable: ReadonlySet<string>;
  readonly isDryRun: boolean;
  readonly nowMs?: number;
}

export interface GarbageReport {
  readonly garbage: readonly Garbage[];
  readonly keptRecords: number;
  /** The records among the garbage that could be read, oldest first. */
  readonly removedRecords: readonly RunRecord[];
}

/** Without a rule about age, logs of failed stages and interrupted work that was set aside stay this long. */
const untouchedSeconds = 30 * 86_400;

/**
 * Removes from the cache what no kept record needs, under the lock: while stages run it is refused, and no stage starts meanwhile.
 *
 * @throws {ReproError} `locked` if a run holds the folder; `usage` if a rule or a name has nothing to refer to; `disk-…`
 */
export async function collectGarbage(options: GarbageOptions): Promise<GarbageReport> {
  const folder = cacheFolderOf(options);
  if (options.isDryRun) {
    return inspect(options, folder);
  }
  try {
    const lock = await lockOnFullDisk(folder);
    try {
      refuseOutstanding(folder);
      const report = await inspect(options, folder);
      await sweep(report.garbage);
      return report;
    } finally {
      await lock.release();
    }
  } catch (error) {
    throw explainDiskError(error, { doing: 'the cache could not be cleaned' });
  }
}

/** A full disk is the best reason to clean, but leaves no room for the lock: what only saves time goes first, and needs no lock. */
async function lockOnFullDisk(folder: CacheFolder): Promise<Lock> {
  try {
    return await acquireLock(folder.lock);
  } catch (error) {
    if (!hasErrorCode(error, 'ENOSPC', 'EDQUOT')) throw error;
    for (const name of await fs.readdir(folder.logs).catch(() => [])) {
      if (name.endsWith('.previous.log')) await fs.rm(path.join(folder.logs, name), { force: true });
    }
    await fs.rm(folder.digests, { force: true });
    return acquireLock(folder.lock);
  }
}

async function inspect(options: GarbageOptions, folder: CacheFolder): Promise<GarbageReport> {
  const { rules, restorable, forgotten = [], nowMs = Date.now() } = options;
  const store = new Store(folder.store);
  const records = new Records(folder);
  const trees = new Map<string, Promise<Tree | null>>();
  const treeOf = (digest: string): Promise<Tree | null> => {
    const known = trees.get(digest) ?? store.findTree(digest);
    trees.set(digest, known);
    return known;
  };
  const [last, actions] = [records.listLast(), records.listActions()];
  const all = [...last, ...actions];
  for (const name of forgotten) refuseIdle('--forget', { kind: 'stage', name }, all);
  for (const rule of rules) refuseIdle('--keep', rule, all);
  const kept = await findKept({ last, actions, rules, restorable, forgotten, nowMs, treeOf });
  const ages = rules.flatMap((rule) => (rule.kind === 'age' ? [rule.seconds] : []));
  const keptSeconds = ages.length === 0 ? untouchedSeconds : Math.max(...ages);
  const prints = new Map(all.map((record) => [record.fingerprint, record]));
  const garbage = await findGarbage(folder, {
    records: kept,
    finished: new Set(prints.keys()),
    oldBeforeMs: rules.some(({ kind }) => kind === 'all') ? 0 : nowMs - keptSeconds * 1000,
    treeOf,
  });
  const keptPrints = new Set([...kept].map(({ fingerprint }) => fingerprint));
  const removed = [...prints.values()].filter(({ fingerprint }) => !keptPrints.has(fingerprint));
  return {
    garbage,
    keptRecords: keptPrints.size,
    removedRecords: removed.sort((a, b) => compareCodeUnits(a.startedAt, b.startedAt)),
  };
}

/** A name that no record has is most likely misspelt, and then what was meant would be lost, or kept. */
function refuseIdle(option: '--keep' | '--forget', rule: KeepRule, records: readonly RunRecord[]): void {
  if (rule.kind !== 'stage' && rule.kind !== 'profile') return;
  const { kind, name } = rule;
  if (records.some((one) => (kind === 'stage' ? isNamed(one, [name]) : one.profile === name))) return;
  const profiles = [...new Set(records.map(({ profile }) => profile))].sort(compareCodeUnits);
  const [what, fix] =
    kind === 'stage'
      ? [
          `"${name}"`,
          'Name a stage or an instance, such as train or train@baseline,2020: `./repro gc --json --dry-run --keep all` changes nothing.',
        ]
      : [`profile "${name}"`, `There are records of ${profiles.join(', ') || 'no profile'}.`];
  throw new ReproError('usage', `${option}: there is no record of ${what}`, { fix });
}
