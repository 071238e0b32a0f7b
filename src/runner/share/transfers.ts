import { forEachLimited } from '../../files/for-each-limited.ts';

/** Enough to fill a line with small objects, few enough for a modest server. */
const transfersAtOnce = 8;

/** How far the transfers of an instance are. */
export interface TransferProgress {
  readonly id: string;
  readonly doneBytes: number;
  readonly totalBytes: number;
}

/** Visits all items, several at once, as {@link forEachLimited} does. */
export function transferAll<T>(
  items: readonly T[],
  visit: (item: T, index: number) => Promise<void>,
  signal?: AbortSignal,
): Promise<void> {
  return forEachLimited(items, transfersAtOnce, visit, signal);
}
