import { shareArrayLimits } from './array-limit.ts';
import type { InstanceRequest } from './instance-request.ts';

/** An instance to submit. */
export interface Candidate {
  readonly id: string;
  readonly stage: string;
  readonly request: InstanceRequest;
  /** The name of what only one job at a time may use; null: nothing. */
  readonly mutex: string | null;
  /** Instances that have been submitted before, or are among the candidates; whatever else it needs is there. */
  readonly after: readonly string[];
}

/** One task of a batch that is submitted or planned; `batch` is its token. */
export interface Placement {
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
  /** Those that count: an instance that was submitted again has a later one. */
  readonly tasks: readonly { readonly index: number; readonly id: string }[];
}

/**
 * What a job waits for: all of another batch; the task of the same index in another array; or single tasks. Each must end well, else
 * this job never runs. `ended`: that another batch has ended, however it did.
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
 * Groups instances into jobs and arrays: instances of one stage that ask for the same and wait for the same become one array. Where each
 * waits for one task of the same other array, as an evaluation for its training, both have the same indices, and each starts as soon as
 * its own has ended.
 *
 * @param candidates each after those that it waits for
 * @param submitted the batches that have been submitted before
 * @param arraySize indices are below this
 * @param createToken a new name each time
 * @param open batches of stages with a limit that the run has submitted before and that have not ended, as {@link shareArrayLimits}
 * @returns batches, each after those that it waits for
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

/** Candidates by how many others come before them: those of one level wait for none of each other. */
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

/** @returns also the index that the instance needs to have in its own array; null: any */
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
    // A job that is no array has no index to be the same as.
    dependencies: dependencies.map((one) =>
      one.kind === 'same-index' && !isArray
        ? { kind: 'task', batch: one.batch, index: only?.index ?? 0 }
        : one,
    ),
  };
}
