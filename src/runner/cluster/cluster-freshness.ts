import { findDifferences, type InputTrees } from '../freshness/differences.ts';
import type { Fingerprints } from '../freshness/fingerprint.ts';
import { FreshnessCheck } from '../freshness/freshness.ts';
import { describeDifference } from '../freshness/reasons.ts';
import type { Session } from '../freshness/session.ts';
import { runFactNames, type StageInstance } from '../plan/plan.ts';
import type { SharedRun } from '../run/other-machines.ts';
import { Preparation } from '../run/preparation.ts';
import type { FingerprintParts } from '../store/fingerprint-parts.ts';
import type { RecordedOutput } from '../store/records.ts';
import { unlimitedMachine } from './instance-request.ts';

/** Whether an instance has to run. `later`: that is not known until stages that run on this machine have run. */
export type Need =
  | { readonly kind: 'hit' | 'failed' | 'later' }
  | { readonly kind: 'to-run'; readonly parts: FingerprintParts };

/** Finds out which instances have to run, before their dependencies have. */
export class ClusterFreshness {
  readonly #run: SharedRun;
  readonly #preparation: Preparation;
  readonly #known = new Map<string, readonly RecordedOutput[] | 'pending'>();

  constructor(run: SharedRun) {
    this.#run = run;
    this.#preparation = new Preparation({
      ...run,
      machine: unlimitedMachine(run.session.plan),
    });
  }

  /** To be called for instances in plan order. After a hit, the outputs are in place. */
  async check(instance: StageInstance): Promise<Need> {
    const { isForced, produced } = this.#run;
    const found = await this.#find(instance, isForced(instance.id));
    this.#known.set(instance.id, found.kind === 'hit' ? (produced.get(instance.id) ?? 'pending') : 'pending');
    return found;
  }

  /** To be called again once all dependencies of the instance are done. */
  async checkAgain(instance: StageInstance): Promise<Need> {
    const prepared = await this.#preparation.prepare(instance);
    const settled = typeof prepared === 'object' && 'pending' in prepared ? await prepared.pending : prepared;
    return typeof settled === 'string' ? { kind: settled } : { kind: 'to-run', parts: settled.parts };
  }

  async #find(instance: StageInstance, isForced: boolean): Promise<Need> {
    const freshness = await this.#run.session.freshness.check(instance, (id) => this.#known.get(id));
    if ('record' in freshness) {
      return isForced ? { kind: 'to-run', parts: freshness.record.parts } : this.checkAgain(instance);
    }
    if (freshness.parts === null) return { kind: 'later' };
    // If all inputs are known, the result may be fetched from a remote instead, and what would fail fails now.
    return freshness.fingerprint === null
      ? { kind: 'to-run', parts: freshness.parts }
      : this.checkAgain(instance);
  }
}

/**
 * A session that assumes the machine facts (engine, version of Node.js) of the node that made an instance's last result. The submitting
 * machine is often different, without GPUs or with an older processor, so its own facts do not matter: the node decides whether a result
 * is right for it.
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

/** The names of changed inputs are enough: no file lists. */
const noTrees: InputTrees = { before: async () => null, now: async () => null };

/**
 * What has changed since a job was submitted: code, packages, parameters, and inputs that were known then. Facts about the machine and its
 * Node.js do not count, since two machines are compared.
 *
 * @returns one phrase for each difference
 */
export async function findChangedParts(
  submitted: FingerprintParts,
  now: FingerprintParts,
): Promise<string[]> {
  const inputs = submitted.inputs.map((input, i) => {
    const present = now.inputs[i];
    const isUnknown = input.digest === null || present?.digest === null;
    return isUnknown && present?.path === input.path ? present : input;
  });
  const before = { ...submitted, inputs, facts: now.facts, runtime: now.runtime };
  const differences = await findDifferences(before, now, noTrees);
  return differences.map((one) => describeDifference(one).text);
}
