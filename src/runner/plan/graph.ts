import { PathTrie, relatePaths } from './path-trie.ts';
import type { Plan, StageInstance } from './plan.ts';
import { SmallestFirst } from './smallest-first.ts';

/**
 * For each instance (by id, in the order given) the instances whose outputs equal, contain or lie inside its
 * inputs; and for each of those, which inputs (by position) cause it.
 */
export type Links = ReadonlyMap<string, ReadonlyMap<string, readonly number[]>>;

/** Finds the dependencies; near-linear in the number of paths and links. */
export function linkInstances(instances: Iterable<StageInstance>): Links {
  const all = [...instances];
  const makers = new PathTrie<string>();
  for (const { id, outputs } of all) for (const output of outputs) makers.add(output, id);

  const links = new Map<string, ReadonlyMap<string, readonly number[]>>();
  for (const { id, inputs } of all) {
    const found = new Map<string, number[]>();
    for (const [index, { path }] of inputs.entries()) {
      for (const maker of new Set(makers.related(path))) {
        if (maker !== id) found.set(maker, [...(found.get(maker) ?? []), index]);
      }
    }
    links.set(id, found);
  }
  return links;
}

type Sorted = { readonly order: readonly string[] } | { readonly cycle: readonly string[] };

/**
 * Orders ids so that each comes after its dependencies; among those that are free, the earliest in the
 * given order comes first. If that is impossible, returns one cycle: each id is needed by the next, the last by the first.
 */
export function sortTopologically(
  ids: readonly string[],
  dependenciesOf: (id: string) => Iterable<string>,
): Sorted {
  const rank = new Map(ids.map((id, index) => [id, index]));
  const dependents = new Map<string, string[]>(ids.map((id) => [id, []]));
  const missing = new Map<string, number>();
  const ready = new SmallestFirst();
  for (const id of ids) {
    let count = 0;
    for (const dependency of dependenciesOf(id)) {
      dependents.get(dependency)?.push(id);
      count += 1;
    }
    missing.set(id, count);
    if (count === 0) ready.add(rank.get(id) ?? 0);
  }

  const order: string[] = [];
  for (let next = ready.take(); next !== undefined; next = ready.take()) {
    const id = ids[next] ?? '';
    order.push(id);
    missing.delete(id);
    for (const dependent of dependents.get(id) ?? []) {
      const count = (missing.get(dependent) ?? 0) - 1;
      missing.set(dependent, count);
      if (count === 0) ready.add(rank.get(dependent) ?? 0);
    }
  }
  return missing.size === 0 ? { order } : { cycle: findCycle(ids, missing, dependenciesOf) };
}

/** Walks from an unsorted id to what it waits for until it meets itself. */
function findCycle(
  ids: readonly string[],
  unsorted: ReadonlyMap<string, number>,
  dependenciesOf: (id: string) => Iterable<string>,
): string[] {
  const visited: string[] = [];
  const index = new Map<string, number>();
  let id = ids.find((one) => unsorted.has(one));
  while (id !== undefined && !index.has(id)) {
    index.set(id, visited.length);
    visited.push(id);
    id = [...dependenciesOf(id)].find((dependency) => unsorted.has(dependency));
  }
  // Followed from reader to maker; reported from maker to reader, from the earliest in the given order on.
  const cycle = visited.slice(index.get(id ?? '') ?? 0).reverse();
  const first = cycle.indexOf(ids.find((one) => cycle.includes(one)) ?? '');
  return [...cycle.slice(first), ...cycle.slice(0, first)];
}

export interface Maker {
  readonly id: string;
  readonly output: string;
}

/** What earlier instances make of a path. At most one of them makes the whole, and then none makes anything within. */
interface Makers {
  readonly exact: Maker | null;
  readonly part: Maker | null;
  /** Those whose outputs lie within the path, in plan order. */
  readonly within: readonly Maker[];
}

/** Which of the instances that an instance depends on make an input. */
export function makersOf(
  plan: Pick<Plan, 'instances' | 'dependencies'>,
  instance: StageInstance,
  input: string,
): Makers {
  const within: Maker[] = [];
  for (const id of plan.dependencies.get(instance.id) ?? []) {
    for (const output of plan.instances.get(id)?.outputs ?? []) {
      const relation = relatePaths(input, output);
      if (relation === 'equal') return { exact: { id, output }, part: null, within: [] };
      if (relation === 'inside') return { exact: null, part: { id, output }, within: [] };
      if (relation === 'around') within.push({ id, output });
    }
  }
  return { exact: null, part: null, within };
}

export function listMakers({ exact, part, within }: Makers): string[] {
  const whole = exact ?? part;
  return whole === null ? [...new Set(within.map(({ id }) => id))] : [whole.id];
}

/** The instance of an id that the plan is known to have. */
export function instanceOf({ instances }: Pick<Plan, 'instances'>, id: string): StageInstance {
  const instance = instances.get(id);
  if (instance === undefined) throw new Error(`no instance "${id}" in the plan`);
  return instance;
}
