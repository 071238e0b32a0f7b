import type { InstanceRequest } from './instance-request.ts';

/** An instance to submit. */
export interface Candidate {
  readonly id: string;
  readonly stage: string;
  readonly request: InstanceRequest;
  /** Held by only one job at a time; null: none. */
  readonly mutex: string | null;
  /** Its dependencies that were submitted before or are among the candidates; all others are done. */
  readonly after: readonly string[];
}

/** One task of a batch that is submitted or planned; `batch` is its token. */
interface Placement {
  readonly batch: string;
  readonly index: number;
}

/** One job or array to submit. */
export interface PlannedBatch {
  readonly token: string;
  readonly stage: string;
  readonly request: InstanceRequest;
  readonly mutex: string | null;
  readonly tasks: readonly { readonly index: number; readonly id: string }[];
  readonly isArray: boolean;
  /** How many of its tasks may run at once; null: any number. */
  readonly atOnce: number | null;
  readonly dependencies: readonly Dependency[];
}

/** A batch that has been submitted before. */
export interface EarlierBatch {
  /** The number of all its tasks. */
  readonly size: number;
  /** The tasks that count: an instance that was submitted again has a later one. */
  readonly tasks: readonly { readonly index: number; readonly id: string }[];
}

/**
 * A dependency of a job: a whole batch, the task of the same index in another array, or a single task. Each must succeed, or this job never
 * runs. `ended`: another batch must only have ended.
 */
export type Dependency =
  | { readonly kind: 'whole' | 'same-index' | 'ended'; readonly batch: string }
  | { readonly kind: 'task'; readonly batch: string; readonly index: number };

interface Group {
  readonly token: string;
  readonly first: Candidate;
  readonly dependencies: readonly Dependency[];
  readonly tasks: Map<number, string>;
}

/**
 * Groups instances into jobs and arrays: instances of one stage with the same request and dependencies become one array. If each depends on
 * one task of the same other array, as an evaluation on its training, both arrays have the same indices, and each task starts as soon as its
 * own dependency has ended.
 *
 * @param candidates each after its dependencies
 * @param submitted the batches that have been submitted before
 * @param arraySize indices stay below this
 * @param createToken a new name each time
 * @param open batches of stages with a limit that the run has submitted before and that have not ended, as {@link shareArrayLimits}
 * @returns batches, each after its dependencies
 */
export function groupIntoBatches(
  candidates: readonly Candidate[],
  submitted: ReadonlyMap<string, EarlierBatch>,
  arraySize: number,
  createToken: () => string,
  open: readonly PlannedBatch[] = [],
): PlannedBatch[] {
  const placed = new Map<string, Placement>();
  const sizes = new Map<string, number>();
  for (const [batch, { size, tasks }] of submitted) {
    sizes.set(batch, size);
    for (const { id, index } of tasks) placed.set(id, { batch, index });
  }
  const planned: PlannedBatch[] = [];
  for (const level of levelsOf(candidates)) {
    const groups = new Map<string, Group[]>();
    for (const candidate of level) {
      const { dependencies, index } = findDependencies(candidate.after, placed, sizes);
      const key = JSON.stringify([candidate.stage, candidate.request, dependencies]);
      const known = groups.get(key) ?? [];
      groups.set(key, known);
      const isFree = ({ tasks }: Group): boolean =>
        candidate.mutex === null && tasks.size < arraySize && (index === null || !tasks.has(index));
      let group = known.find(isFree);
      if (group === undefined) {
        group = { token: createToken(), first: candidate, dependencies, tasks: new Map() };
        known.push(group);
      }
      group.tasks.set(index ?? group.tasks.size, candidate.id);
    }
    for (const group of [...groups.values()].flat()) {
      const batch = toBatch(group);
      planned.push(batch);
      sizes.set(batch.token, batch.tasks.length);
      for (const { id, index } of batch.tasks) placed.set(id, { batch: batch.token, index });
    }
  }
  return shareArrayLimits(planned, open);
}

/** Groups candidates by the length of their longest chain of dependencies: within a level, none depends on another. */
function levelsOf(candidates: readonly Candidate[]): Candidate[][] {
  const depths = new Map<string, number>();
  const levels: Candidate[][] = [];
  for (const candidate of candidates) {
    const depth = Math.max(0, ...candidate.after.map((id) => (depths.get(id) ?? -1) + 1));
    depths.set(candidate.id, depth);
    const level = levels[depth] ?? [];
    levels[depth] = level;
    level.push(candidate);
  }
  return levels;
}

/** @returns the dependencies, and the index that the instance must have in its own array; null: any */
function findDependencies(
  after: readonly string[],
  placed: ReadonlyMap<string, Placement>,
  sizes: ReadonlyMap<string, number>,
): { readonly dependencies: readonly Dependency[]; readonly index: number | null } {
  const byBatch = new Map<string, number[]>();
  for (const id of after) {
    const place = placed.get(id);
    if (place !== undefined) byBatch.set(place.batch, [...(byBatch.get(place.batch) ?? []), place.index]);
  }
  const whole: Dependency[] = [];
  const single: (Dependency & { readonly kind: 'task' })[] = [];
  const several: Dependency[] = [];
  for (const [batch, indices] of byBatch) {
    const tasks = indices.map((index) => ({ kind: 'task', batch, index }) as const);
    if (indices.length === sizes.get(batch)) whole.push({ kind: 'whole', batch });
    else if (tasks[0] !== undefined && tasks.length === 1) single.push(tasks[0]);
    else several.push(...tasks);
  }
  const [index = null, ...others] = new Set(single.map((one) => one.index));
  const isSame = index !== null && others.length === 0;
  const same = single.map(({ batch }): Dependency => ({ kind: 'same-index', batch }));
  return {
    dependencies: [...whole, ...(isSame ? same : single), ...several],
    index: isSame ? index : null,
  };
}

function toBatch({ token, first, dependencies, tasks }: Group): PlannedBatch {
  const sorted = [...tasks].map(([index, id]) => ({ index, id })).sort((a, b) => a.index - b.index);
  const isArray = sorted.length > 1;
  const [only] = sorted;
  return {
    token,
    stage: first.stage,
    request: first.request,
    mutex: first.mutex,
    tasks: sorted,
    isArray,
    atOnce: first.request.arrayLimit,
    // A single job has no index that could be the same.
    dependencies: dependencies.map((one) =>
      one.kind === 'same-index' && !isArray
        ? { kind: 'task', batch: one.batch, index: only?.index ?? 0 }
        : one,
    ),
  };
}

/**
 * Divides the limit of a stage (`arrayLimit`: how many of its instances run at once) among its arrays or jobs, since Slurm's own limit is
 * per array. A limit of four is four lanes, each with one running instance at a time. A batch takes as many lanes as its share, and waits
 * for the end of the batches that took these lanes last.
 *
 * @param batches each after its dependencies
 * @param open batches that the run submitted before, in that order, and that have not ended
 */
function shareArrayLimits(batches: readonly PlannedBatch[], open: readonly PlannedBatch[]): PlannedBatch[] {
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

/** The last batch to take each lane; free lanes come first, then the earliest. */
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
   * @returns the batches that it has to wait for
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

/** Whole shares from 1 to the size of each, as close to the proportions of the sizes as possible. */
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
