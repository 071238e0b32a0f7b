/** Enough to fill a line with small objects, few enough for a modest server. */
const transfersAtOnce = 8;

/** How far the transfers of an instance are. */
export interface TransferProgress {
  readonly id: string;
  readonly doneBytes: number;
  readonly totalBytes: number;
}

/** Visits all items, several at once; after a failure starts no more, waits for those under way, and throws the first error. */
export async function transferAll<T>(
  items: readonly T[],
  visit: (item: T) => Promise<void>,
  signal?: AbortSignal,
): Promise<void> {
  let next = 0;
  const errors: unknown[] = [];
  const work = async (): Promise<void> => {
    while (next < items.length && errors.length === 0) {
      signal?.throwIfAborted();
      const item = items[next++];
      if (item !== undefined) await visit(item);
    }
  };
  const lanes = Array.from({ length: Math.min(transfersAtOnce, items.length) }, () =>
    work().catch((error: unknown) => errors.push(error)),
  );
  await Promise.all(lanes);
  if (errors.length > 0) throw errors[0];
}
