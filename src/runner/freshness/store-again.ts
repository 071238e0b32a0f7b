import path from 'node:path';
import { describeError } from '../../errors.ts';
import { explainDiskError } from '../../files/disk-error.ts';
import { listSome } from '../../text.ts';
import { fileNameOf } from '../store/cache-folder.ts';
import type { LostObject } from '../store/lost-objects.ts';
import type { Session } from './session.ts';
import type { StaleReason } from './stale-reason.ts';

interface StoredAgain {
  /** `altered`: some outputs are not what they seemed to be, and have to be looked at again. */
  readonly outcome: 'stored' | 'altered' | 'failed';
  readonly level: 'note' | 'warning';
  /** What happened, in one line. */
  readonly text: string;
}

/** Stores what the store has lost, from outputs of an instance that are in place and intact. */
export async function storeAgain(
  session: Session,
  id: string,
  lost: readonly LostObject[],
  temporary: string,
): Promise<StoredAgain> {
  const names = listSome(lost.map(({ name }) => name));
  try {
    const altered = await session.store.storeAgain(lost, path.join(temporary, `again-${fileNameOf(id)}`));
    if (altered.length === 0) {
      return {
        outcome: 'stored',
        level: 'note',
        text: `stored again, since the store had lost it: ${names}`,
      };
    }
    for (const one of altered) if (one.kind === 'file') session.digests.forget(one.from);
    const text = `${listSome(altered.map(({ name }) => name))} was altered without a trace in its size or time, and the store had lost it`;
    return { outcome: 'altered', level: 'warning', text };
  } catch (error) {
    const why = describeError(explainDiskError(error, { doing: 'storing it again' }));
    return { outcome: 'failed', level: 'warning', text: `the store has lost its copy of ${names}: ${why}` };
  }
}

/** What a run will store again, for commands that change nothing; null if nothing was lost. */
export function describeLost(lost: readonly LostObject[]): StaleReason | null {
  if (lost.length === 0) return null;
  const names = listSome(lost.map(({ name }) => name));
  return { cue: 'store-lost', text: `the store has lost its copy of ${names}: a run stores it again` };
}
