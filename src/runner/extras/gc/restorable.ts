import { describeError, ReproError } from '../../../errors.ts';
import type { Facts } from '../../freshness/fingerprint.ts';
import type { Freshness } from '../../freshness/freshness.ts';
import { checkInstances, openSession, saveDigests } from '../../freshness/session.ts';
import { loadPlan } from '../../plan/load.ts';
import type { Plan } from '../../plan/plan.ts';
import { openRecords } from '../../store/records.ts';

/**
 * The fingerprints of all results that a run of any profile would find in place or restore from the store. Where that is unknown, those of all
 * of the profile's results.
 *
 * @param warn called for each profile for which this is unknown
 * @throws {ConfigurationError} if the pipeline or its default profile cannot be read
 */
export async function findRestorable(
  projectRoot: string,
  facts: Facts,
  warn: (text: string) => void,
): Promise<ReadonlySet<string>> {
  const load = (profile?: string): Promise<Plan> => loadPlan({ projectRoot, profile });
  const first = await load();
  const records = openRecords(first);
  const all = [...records.listLast(), ...records.listActions()];
  const found = new Set<string>();
  for (const name of [first.profile, ...(first.otherProfiles ?? [])]) {
    let unknown: string | undefined;
    try {
      unknown = await addRestorable(found, name === first.profile ? first : await load(name), facts);
    } catch (error) {
      if (!(error instanceof ReproError)) throw error;
      unknown = describeError(error);
    }
    const own = all.filter(({ profile }) => profile === name);
    if (unknown === undefined || own.length === 0) continue;
    for (const { fingerprint } of own) found.add(fingerprint);
    warn(`profile ${name}: all its results are kept, because what it would restore is unknown: ${unknown}`);
  }
  return found;
}

/** @returns why it is unknown for some instance; undefined if it is known for all */
async function addRestorable(found: Set<string>, plan: Plan, facts: Facts): Promise<string | undefined> {
  const session = openSession(plan, { facts });
  let unknown: string | undefined;
  for await (const { freshness } of checkInstances(session, [...plan.instances.keys()], () => false)) {
    if ('record' in freshness) found.add(freshness.record.fingerprint);
    else unknown ??= whyUnknown(freshness);
  }
  await saveDigests(session);
  return unknown;
}

/** Why the state of an instance is unknown: for example an error in its code, or missing data. */
function whyUnknown(freshness: Exclude<Freshness, { record: unknown }>): string | undefined {
  if (freshness.error !== undefined) return freshness.reasons[0].text;
  const missing = freshness.parts?.inputs.find(({ external, digest }) => external && digest === 'missing');
  return missing === undefined ? undefined : `${missing.path} is missing`;
}
