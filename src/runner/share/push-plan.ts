import { hasErrorCode } from '../../errors.ts';
import type { Facts } from '../freshness/fingerprint.ts';
import { checkAll, openSession, saveDigests } from '../freshness/session.ts';
import type { Plan } from '../plan/plan.ts';
import { isAboutOne } from './pull-plan.ts';
import { type Pushed, type PushOptions, pushInstance } from './push-instance.ts';

export interface PushedInstance extends Omit<Pushed, 'kind'> {
  readonly id: string;
  /** `stale`: there is no result to upload. */
  readonly state: Pushed['kind'] | 'stale' | 'failed';
  readonly error: unknown;
}

export interface PushPlanOptions extends PushOptions {
  readonly facts: Facts;
  readonly selected: ReadonlySet<string>;
  readonly onPushed?: (pushed: PushedInstance) => void;
}

/**
 * Uploads the results of a plan that are up to date. Needs no lock: it only reads what a run never changes.
 *
 * @throws {ReproError} `remote-…`
 */
export async function pushPlan(plan: Plan, options: PushPlanOptions): Promise<PushedInstance[]> {
  const session = openSession(plan, options);
  const ids = [...plan.instances.keys()].filter((id) => options.selected.has(id));
  const all: PushedInstance[] = [];
  for await (const { instance, freshness } of checkAll(session, ids, () => false)) {
    options.signal?.throwIfAborted();
    const { id } = instance;
    const nothing = { id, uploadedFiles: 0, uploadedBytes: 0, replaced: [], other: null, error: undefined };
    let pushed: PushedInstance;
    if (!('record' in freshness)) pushed = { ...nothing, state: 'stale' };
    else {
      try {
        const { kind, ...figures } = await pushInstance(session, freshness.record, options);
        pushed = { ...nothing, ...figures, state: kind };
      } catch (error) {
        // A folder in place of an object cannot be replaced, and a link to itself not even looked at.
        if (!isAboutOne(error) && !hasErrorCode(error, 'store-incomplete', 'EISDIR', 'ELOOP')) throw error;
        pushed = { ...nothing, state: 'failed', error };
      }
    }
    all.push(pushed);
    options.onPushed?.(pushed);
  }
  await saveDigests(session);
  return all;
}
