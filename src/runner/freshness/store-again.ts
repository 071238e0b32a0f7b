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
  readonly text: string;
}

/** Re-stores what the store lacks from intact outputs of an instance. */
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
        text: `re-stored from intact outputs: ${names}`,
      };
    }
    for (const one of altered) if (one.kind === 'file') session.digests.forget(one.from);
    const text = `${listSome(altered.map(({ name }) => name))} changed although size and mtime are the same; not in the store`;
    return { outcome: 'altered', level: 'warning', text };
  } catch (error) {
    const why = describeError(explainDiskError(error, { doing: 're-storing it' }));
    return { outcome: 'failed', level: 'warning', text: `could not re-store ${names}: ${why}` };
  }
}

/** What a run will re-store, for commands that change nothing; null if the store lacks nothing. */
export function describeLost(lost: readonly LostObject[]): StaleReason | null {
  if (lost.length === 0) return null;
  const names = listSome(lost.map(({ name }) => name));
  return { cue: 'store-lost', text: `not in the store: ${names}; a run re-stores it from its intact output` };
}
