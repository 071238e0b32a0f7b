/**
 * Visits all items, at most so many at once. After a failure or an abort it starts no more, waits for those under way, and throws the
 * first error.
 */
export async function forEachLimited<T>(
  items: readonly T[],
  atOnce: number,
  visit: (item: T, index: number) => Promise<void>,
  signal?: AbortSignal,
): Promise<void> {
  let next = 0;
  const errors: unknown[] = [];
  const work = async (): Promise<void> => {
    while (next < items.length && errors.length === 0) {
      signal?.throwIfAborted();
      const index = next++;
      await visit(items[index] as T, index);
    }
  };
  const lanes = Array.from({ length: Math.min(atOnce, items.length) }, () =>
    work().catch((error: unknown) => errors.push(error)),
  );
  await Promise.all(lanes);
  if (errors.length > 0) throw errors[0];
}
