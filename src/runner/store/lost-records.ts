import path from 'node:path';
import { compareCodeUnits } from '../../files/canonical-json.ts';
import { fileNameOf } from './cache-folder.ts';
import type { Records } from './records.ts';

/** Stored text of a source file, which `explain` compares with the present one. */
export interface LostSource {
  /** Relative to the project. */
  readonly source: string;
  /** The instances whose records name it, sorted. */
  readonly ids: readonly string[];
}

/**
 * The instances that had a last record of which nothing is left, neither there nor under a fingerprint.
 *
 * @param removed record files that were removed; their names are those of the instances, encoded where an id has unusual characters
 * @param known ids from which such a name can be told
 */
export function findLostRecords(
  removed: readonly string[],
  known: Iterable<string>,
  records: Pick<Records, 'listActions' | 'listLast'>,
): string[] {
  const left = new Set([...records.listActions(), ...records.listLast()].map(({ id }) => fileNameOf(id)));
  const idOf = new Map([...known].map((id) => [fileNameOf(id), id]));
  const names = new Set(removed.map((file) => path.basename(file, '.json')));
  return [...names]
    .filter((name) => !left.has(name))
    .map((name) => idOf.get(name) ?? name)
    .sort(compareCodeUnits);
}

/** The source texts among removed objects of the store, by the records that name them. */
export function findLostSources(
  removed: readonly string[],
  records: Pick<Records, 'listActions' | 'listLast'>,
): LostSource[] {
  const lost = new Set(removed.map((file) => path.basename(file)));
  const found = new Map<string, Set<string>>();
  for (const { id, sources = {} } of [...records.listActions(), ...records.listLast()]) {
    for (const [source, sha256] of Object.entries(sources)) {
      if (!lost.has(sha256)) continue;
      const ids = found.get(source);
      if (ids === undefined) found.set(source, new Set([id]));
      else ids.add(id);
    }
  }
  return [...found]
    .map(([source, ids]) => ({ source, ids: [...ids].sort(compareCodeUnits) }))
    .sort((a, b) => compareCodeUnits(a.source, b.source));
}
