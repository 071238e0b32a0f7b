import type { PlannedBatch } from './grouping.ts';

/**
 * Divides the limit of a stage (`arrayLimit`: how many of its instances run at once) where they are submitted as several arrays or jobs,
 * since Slurm's own limit is one array's. Each gets a share by its size, and at least one; where there are more of them than that, they run
 * one after the other in as many rows as the limit allows.
 *
 * @param batches each after those that it waits for
 */
export function shareArrayLimits(batches: readonly PlannedBatch[]): PlannedBatch[] {
  const limited = batches.filter(({ request }) => request.arrayLimit !== null);
  const changed = new Map<string, PlannedBatch>();
  for (const stage of new Set(limited.map((one) => one.stage))) {
    const group = limited.filter((one) => one.stage === stage);
    for (const one of shareAmong(group)) changed.set(one.token, one);
  }
  return batches.map((one) => changed.get(one.token) ?? one);
}

function shareAmong(group: readonly PlannedBatch[]): PlannedBatch[] {
  const limit = Math.min(...group.map(({ request }) => request.arrayLimit ?? Number.POSITIVE_INFINITY));
  if (group.length === 1) return group.map((one) => ({ ...one, atOnce: limit }));
  if (group.length > limit) {
    return group.map((one, i) => {
      const before = group[i - limit];
      const dependencies =
        before === undefined
          ? one.dependencies
          : [...one.dependencies, { kind: 'ended' as const, batch: before.token }];
      return { ...one, atOnce: 1, dependencies };
    });
  }
  const shares = divide(
    limit,
    group.map(({ tasks }) => tasks.length),
  );
  return group.map((one, i) => ({ ...one, atOnce: shares[i] ?? 1 }));
}

/** Whole shares of at least one and at most the size, as close to the sizes' proportions as they can be. */
function divide(limit: number, sizes: readonly number[]): number[] {
  const shares = sizes.map(() => 1);
  for (let left = limit - sizes.length; left > 0; left -= 1) {
    const needs = sizes.map((size, i) => size / (shares[i] ?? 1));
    const most = Math.max(...needs);
    // Everything runs at once.
    if (most <= 1) break;
    const i = needs.indexOf(most);
    shares[i] = (shares[i] ?? 0) + 1;
  }
  return shares;
}
