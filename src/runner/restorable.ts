import type { Facts } from './fingerprint/fingerprint.ts';
import type { Freshness } from './fingerprint/freshness.ts';
import { loadPlan } from './pipeline/load.ts';
import type { Plan } from './plan.ts';
import { openSession, saveDigests } from './session.ts';
import { checkAll } from './status.ts';

/**
 * The fingerprints of everything that a run of any profile would find done: in place, or to be restored from the store. Where that cannot be
 * told, these are all of the profile's results.
 *
 * @param warn is told of each profile of which all results count
 * @throws {ConfigurationError} if the pipeline or a profile cannot be read: what it would restore is unknown
 */
export async function findRestorable(
  projectRoot: string,
  facts: Facts,
  warn: (text: string) => void,
): Promise<ReadonlySet<string>> {
  const load = (profile?: string): Promise<Plan> => loadPlan({ projectRoot, profile, isForReading: true });
  const first = await load();
  const found = new Set<string>();
  for (const plan of [first, ...(await Promise.all((first.otherProfiles ?? []).map(load)))]) {
    const session = openSession(plan, { facts });
    let unknown: string | undefined;
    for await (const { freshness } of checkAll(session, [...plan.instances.keys()], () => false)) {
      if ('record' in freshness) found.add(freshness.record.fingerprint);
      else unknown ??= whyUnknown(freshness);
    }
    await saveDigests(session);
    if (unknown === undefined) continue;
    const all = [...session.records.listLast(), ...session.records.listActions()];
    const own = all.filter(({ profile }) => profile === plan.profile);
    for (const { fingerprint } of own) found.add(fingerprint);
    if (own.length > 0) {
      warn(
        `profile ${plan.profile}: all its results are kept, because what it would restore is unknown: ${unknown}`,
      );
    }
  }
  return found;
}

/** Why nothing can be said of an instance and of those after it: an error in its code, say, or a disk with data that is not there. */
function whyUnknown(freshness: Exclude<Freshness, { record: unknown }>): string | undefined {
  if (freshness.error !== undefined) return freshness.reasons[0].text;
  const missing = freshness.parts?.inputs.find(({ external, digest }) => external && digest === 'missing');
  return missing === undefined ? undefined : `${missing.path} is missing`;
}
