import type { Fingerprints } from '../freshness/fingerprint.ts';
import { FreshnessCheck } from '../freshness/freshness.ts';
import type { Session } from '../freshness/session.ts';
import { runFactNames } from '../plan/plan.ts';

/**
 * A session that takes facts about the machine (the engine, the version of Node.js) for those of the node that made an instance's last
 * result: the submitting machine is often another one, without GPUs or with an older processor, and what it would compute is of no
 * concern. Whether a result is right for a node, the node decides.
 */
export function withFactsOfNodes(session: Session, isElsewhere: (id: string) => boolean): Session {
  const { plan, inputs, digests, records, store, fingerprints } = session;
  const find: Fingerprints['find'] = async (instance, produced) => {
    const parts = await fingerprints.find(instance, produced);
    const last = isElsewhere(instance.id) ? records.findLast(instance.id) : null;
    if (last === null) return parts;
    const ofRun = Object.entries(parts.facts).filter(([name]) => runFactNames.some((one) => one === name));
    const facts = { ...last.parts.facts, ...Object.fromEntries(ofRun) };
    return { ...parts, facts, runtime: last.parts.runtime };
  };
  const freshness = new FreshnessCheck({
    ...{ plan, inputs, digests, records, store },
    fingerprints: { find },
  });
  return { ...session, freshness };
}
