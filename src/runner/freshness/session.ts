import process from 'node:process';
import { compareCodeUnits } from '../../base/files/canonical-json.ts';
import type { Plan } from '../plan/plan.ts';
import { Attempts } from '../store/attempts.ts';
import { type CacheFolder, cacheFolderOf } from '../store/cache-folder.ts';
import { Custody } from '../store/custody.ts';
import { DigestCache } from '../store/digest-cache.ts';
import { Records, type RunRecord } from '../store/records.ts';
import { Store } from '../store/store.ts';
import { CodeClosures } from './code-closure.ts';
import { createFingerprints, type Facts, type Fingerprints, runFactsOf } from './fingerprint.ts';
import { InputDigests } from './input-digests.ts';

export interface Session {
  readonly plan: Plan;
  readonly folder: CacheFolder;
  readonly digests: DigestCache;
  readonly custody: Custody;
  readonly store: Store;
  readonly records: Records;
  readonly attempts: Attempts;
  readonly inputs: InputDigests;
  readonly closures: CodeClosures;
  readonly fingerprints: Fingerprints;
  /** All on record, the latest first; read at the first need. */
  readonly listRuns: () => readonly RunRecord[];
}

export function openSession(
  plan: Plan,
  options: { facts: Facts; environment?: NodeJS.ProcessEnv | undefined },
): Session {
  const folder = cacheFolderOf(plan);
  const digests = new DigestCache(folder.digests, plan.projectRoot);
  const store = new Store(folder.store);
  const records = new Records(folder);
  const attempts = new Attempts(folder);
  const custody = new Custody(folder.custody, plan.projectRoot);
  const base = { plan, folder, digests, custody, store, records, attempts };
  const inputs = new InputDigests(plan, folder, digests, store);
  const closures = new CodeClosures(plan.projectRoot, folder, digests);
  const facts = { ...options.facts, ...runFactsOf(plan, closures) };
  const environment = options.environment ?? process.env;
  const fingerprints = createFingerprints({ plan, closures, inputs, facts, digests, environment });
  let runs: readonly RunRecord[] | null = null;
  const listRuns = (): readonly RunRecord[] => {
    runs ??= records.listActions().sort((a, b) => compareCodeUnits(b.startedAt, a.startedAt));
    return runs;
  };
  return { ...base, inputs, closures, fingerprints, listRuns };
}

/** Notes that a record is now the plan's result: also one that another profile computed. A trial displaces no profile's result. */
export async function noteUse({ plan, records }: Session, record: RunRecord): Promise<void> {
  if (plan.trial?.reaching.has(record.id) !== true) await records.noteUse(plan.profile, record);
}

/** Writes what saves time in the next run. A failed write costs only that time. */
export async function saveDigests(session: Session): Promise<void> {
  await session.digests.save().catch(() => {});
}
