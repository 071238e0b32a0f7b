import process from 'node:process';
import type { Plan, StageInstance } from '../plan/plan.ts';
import { Attempts } from '../store/attempts.ts';
import { type CacheFolder, cacheFolderOf } from '../store/cache-folder.ts';
import { DigestCache } from '../store/digest-cache.ts';
import { type RecordedOutput, Records } from '../store/records.ts';
import { Store } from '../store/store.ts';
import { CodeClosures } from './code-closure.ts';
import { type Facts, Fingerprints, runFactsOf } from './fingerprint.ts';
import { type Freshness, FreshnessCheck } from './freshness.ts';
import { InputDigests, type ProducedOutputs } from './input-digests.ts';

export interface Session {
  readonly plan: Plan;
  readonly folder: CacheFolder;
  readonly digests: DigestCache;
  readonly store: Store;
  readonly records: Records;
  readonly attempts: Attempts;
  readonly inputs: InputDigests;
  readonly closures: CodeClosures;
  readonly fingerprints: Fingerprints;
  readonly freshness: FreshnessCheck;
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
  const base = { plan, folder, digests, store, records, attempts };
  const inputs = new InputDigests(plan, folder, digests, store);
  const closures = new CodeClosures(plan.projectRoot, folder, digests);
  const facts = { ...options.facts, ...runFactsOf(plan, closures) };
  const environment = options.environment ?? process.env;
  const fingerprints = new Fingerprints({ plan, closures, inputs, facts, digests, environment });
  const freshness = new FreshnessCheck({ ...base, inputs, fingerprints });
  return { ...base, inputs, closures, fingerprints, freshness };
}

/** Writes what saves time in the next run. A failed write costs only that time. */
export async function saveDigests(session: Session): Promise<void> {
  await session.digests.save().catch(() => {});
}

/** Checks instances in order; dependents of one that has to run wait for it. */
export async function* checkInstances(
  session: Session,
  ids: readonly string[],
  isForced: (id: string) => boolean,
): AsyncGenerator<{ instance: StageInstance; freshness: Freshness }> {
  const known = new Map<string, readonly RecordedOutput[] | 'pending'>();
  const produced: ProducedOutputs = (id) => known.get(id);
  for (const id of ids) {
    const instance = session.plan.instances.get(id);
    if (instance === undefined) continue;
    const freshness = await session.freshness.check(instance, produced);
    known.set(id, 'record' in freshness && !isForced(id) ? freshness.record.outputs : 'pending');
    yield { instance, freshness };
  }
}
