import type { StageInstance } from '../plan/plan.ts';
import type { SharedRun } from '../run/other-machines.ts';
import { Preparation } from '../run/preparation.ts';
import type { FingerprintParts } from '../store/fingerprint-parts.ts';
import type { RecordedOutput } from '../store/records.ts';
import { boundlessMachine } from './boundless.ts';

/** What is known about an instance before it is submitted. `later`: not even that can be said until other stages have run here. */
export type Surveyed =
  | { readonly kind: 'hit' | 'failed' | 'later' }
  | { readonly kind: 'to-run'; readonly parts: FingerprintParts };

/** Finds out which instances have to run, before what they depend on has. */
export class Survey {
  readonly #surroundings: SharedRun;
  readonly #preparation: Preparation;
  readonly #known = new Map<string, readonly RecordedOutput[] | 'pending'>();

  constructor(surroundings: SharedRun) {
    this.#surroundings = surroundings;
    this.#preparation = new Preparation({
      ...surroundings,
      machine: boundlessMachine(surroundings.session.plan),
    });
  }

  /** Of instances in plan order: a hit is settled, with its outputs in place. */
  async look(instance: StageInstance): Promise<Surveyed> {
    const { isForced, produced } = this.#surroundings;
    const found = await this.#find(instance, isForced(instance.id));
    this.#known.set(instance.id, found.kind === 'hit' ? (produced.get(instance.id) ?? 'pending') : 'pending');
    return found;
  }

  /** Once everything that the instance depends on is done. */
  async lookAgain(instance: StageInstance): Promise<Surveyed> {
    const prepared = await this.#preparation.prepare(instance);
    const settled = typeof prepared === 'object' && 'pending' in prepared ? await prepared.pending : prepared;
    return typeof settled === 'string' ? { kind: settled } : { kind: 'to-run', parts: settled.parts };
  }

  async #find(instance: StageInstance, isForced: boolean): Promise<Surveyed> {
    const freshness = await this.#surroundings.session.freshness.check(instance, (id) => this.#known.get(id));
    if ('record' in freshness) {
      return isForced ? { kind: 'to-run', parts: freshness.record.parts } : this.lookAgain(instance);
    }
    if (freshness.parts === null) return { kind: 'later' };
    // With everything known, it may be fetched instead; and what would fail, fails now.
    return freshness.fingerprint === null
      ? { kind: 'to-run', parts: freshness.parts }
      : this.lookAgain(instance);
  }
}
