import type { Facts } from './fingerprint/fingerprint.ts';
import { loadPlan } from './pipeline/load.ts';
import type { Plan } from './plan.ts';
import { openSession, saveDigests } from './session.ts';
import { checkAll } from './status.ts';

/**
 * The fingerprints of everything that a run of any profile would find done: in place, or to be restored from the store.
 *
 * @throws {ConfigurationError} if the pipeline or a profile cannot be read: what it would restore is unknown
 */
export async function findRestorable(projectRoot: string, facts: Facts): Promise<ReadonlySet<string>> {
  const load = (profile?: string): Promise<Plan> => loadPlan({ projectRoot, profile, isForReading: true });
  const first = await load();
  const found = new Set<string>();
  for (const plan of [first, ...(await Promise.all((first.otherProfiles ?? []).map(load)))]) {
    const session = openSession(plan, { facts });
    for await (const { freshness } of checkAll(session, [...plan.instances.keys()], () => false)) {
      if ('record' in freshness) found.add(freshness.record.fingerprint);
    }
    await saveDigests(session);
  }
  return found;
}
