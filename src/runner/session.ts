import process from 'node:process';
import { CodeClosures } from './freshness/code-closure.ts';
import { type Facts, Fingerprints } from './freshness/fingerprint.ts';
import { FreshnessCheck } from './freshness/freshness.ts';
import { InputDigests } from './freshness/input-digests.ts';
import { KeptTexts } from './freshness/kept-texts.ts';
import { runFactsOf } from './freshness/run-facts.ts';
import type { Plan } from './plan/plan.ts';
import { Attempts } from './store/attempts.ts';
import { type CacheFolder, cacheFolderOf } from './store/cache-folder.ts';
import { DigestCache } from './store/digest-cache.ts';
import { Records } from './store/records.ts';
import { Store } from './store/store.ts';

/** Everything needed to decide what has to run. */
export interface Session {
  readonly plan: Plan;
  readonly folder: CacheFolder;
  readonly digests: DigestCache;
  readonly store: Store;
  readonly records: Records;
  readonly attempts: Attempts;
  readonly inputs: InputDigests;
  readonly closures: CodeClosures;
  readonly texts: KeptTexts;
  readonly fingerprints: Fingerprints;
  readonly freshness: FreshnessCheck;
}

export function openSession(
  plan: Plan,
  options: { facts: Facts; cacheRoot?: string | undefined; environment?: NodeJS.ProcessEnv | undefined },
): Session {
  const folder = cacheFolderOf(plan, options.cacheRoot);
  const digests = new DigestCache(folder.digests, plan.projectRoot);
  const store = new Store(folder.store);
  const records = new Records(folder);
  const inputs = new InputDigests(plan, folder, digests, store);
  const closures = new CodeClosures(plan.projectRoot, folder, digests);
  const fingerprints = new Fingerprints({
    closures,
    inputs,
    facts: { ...options.facts, ...runFactsOf(plan, closures) },
    projectRoot: plan.projectRoot,
    environment: options.environment ?? process.env,
  });
  const freshness = new FreshnessCheck({ plan, fingerprints, inputs, digests, records, store });
  const texts = new KeptTexts(store);
  const attempts = new Attempts(folder);
  return {
    plan,
    folder,
    digests,
    store,
    records,
    attempts,
    inputs,
    closures,
    texts,
    fingerprints,
    freshness,
  };
}

/** Writes what saves time in the next run. A failed write costs only that time. */
export async function saveDigests(
  session: Session,
  options: { readonly isShared?: boolean } = {},
): Promise<void> {
  await session.digests.save(options).catch(() => {});
}
