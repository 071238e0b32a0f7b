import type { PlannedBatch } from './grouping.ts';

/**
 * Divides the limit of a stage (`arrayLimit`: how many of its instances run at once) where they are submitted as several arrays or jobs,
 * since Slurm's own limit is one array's. A limit of four is four lanes, in each of which one instance runs at a time: a batch takes as many
 * as its share, and waits for the end of what was the last to take one of them.
 *
 * @param batches each after those that it waits for
 * @param open what the run has submitted before, in that order, and has not ended
 */
export function shareArrayLimits(
  batches: readonly PlannedBatch[],
  open: readonly PlannedBatch[],
): PlannedBatch[] {
  const limited = batches.filter(({ request }) => request.arrayLimit !== null);
  const changed = new Map<string, PlannedBatch>();
  for (const stage of new Set(limited.map((one) => one.stage))) {
    const isOfStage = (one: PlannedBatch): boolean => one.stage === stage;
    for (const one of shareAmong(limited.filter(isOfStage), open.filter(isOfStage))) {
      changed.set(one.token, one);
    }
  }
  return batches.map((one) => changed.get(one.token) ?? one);
}

function shareAmong(group: readonly PlannedBatch[], open: readonly PlannedBatch[]): PlannedBatch[] {
  const limit = Math.min(...group.map(({ request }) => request.arrayLimit ?? Number.POSITIVE_INFINITY));
  const lanes = new Lanes(limit, open);
  if (group.length === 1 && lanes.freeCount === limit) return group.map((one) => ({ ...one, atOnce: limit }));
  const sizes = group.map(({ tasks }) => tasks.length);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  // Half of the limit now is better than all of it later, and all of it later than one after the other.
  const isRoom = lanes.freeCount >= Math.min(total, limit / 2);
  const shares = divide(isRoom ? Math.max(1, lanes.freeCount) : limit, sizes);
  return group.map((one, i) => {
    const atOnce = shares[i] ?? 1;
    const behind = lanes.take(one.token, atOnce, []);
    const rows = behind.map((batch) => ({ kind: 'ended' as const, batch }));
    return { ...one, atOnce, dependencies: [...one.dependencies, ...rows] };
  });
}

/** Which batch was the last to take each of so many lanes; those that are free come first, then the earliest. */
class Lanes {
  #last: readonly (string | null)[];

  constructor(limit: number, open: readonly PlannedBatch[]) {
    this.#last = Array.from({ length: limit }, () => null);
    for (const { token, tasks, atOnce, dependencies } of open) {
      const before = dependencies.flatMap(({ kind, batch }) => (kind === 'ended' ? [batch] : []));
      this.take(token, Math.min(atOnce ?? limit, tasks.length), before);
    }
  }

  get freeCount(): number {
    return this.#last.filter((one) => one === null).length;
  }

  /**
   * Gives lanes to a batch.
   *
   * @param preferred batches whose lanes it takes first
   * @returns the batches that it is behind
   */
  take(token: string, count: number, preferred: readonly string[]): string[] {
    const isPreferred = (one: string | null): boolean => one !== null && preferred.includes(one);
    const ordered = [
      ...this.#last.filter(isPreferred),
      ...this.#last.filter((one) => one === null),
      ...this.#last.filter((one) => one !== null && !isPreferred(one)),
    ];
    const taken = ordered.slice(0, count);
    this.#last = [...ordered.slice(count), ...taken.map(() => token)];
    return [...new Set(taken.filter((one) => one !== null))];
  }
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
