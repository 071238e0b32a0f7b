import type { Plan, StageInstance } from './plan.ts';
import { PathTrie, relatePaths } from './project-paths.ts';

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
  const order = new Set<string>();
  let first = 0;
  while (order.size < ids.length) {
    while (order.has(ids[first] ?? '')) first += 1;
    let at = first;
    while (at < ids.length && !isFree(ids[at] ?? '', order, dependenciesOf)) at += 1;
    if (at === ids.length) return { cycle: findCycle(ids, order, dependenciesOf) };
    order.add(ids[at] ?? '');
  }
  return { order: [...order] };
}

function isFree(
  id: string,
  done: ReadonlySet<string>,
  dependenciesOf: (id: string) => Iterable<string>,
): boolean {
  return !done.has(id) && [...dependenciesOf(id)].every((one) => done.has(one));
}

/** Walks from an unsorted id to what it waits for until it meets itself. */
function findCycle(
  ids: readonly string[],
  sorted: ReadonlySet<string>,
  dependenciesOf: (id: string) => Iterable<string>,
): string[] {
  const visited: string[] = [];
  let id = ids.find((one) => !sorted.has(one)) ?? '';
  while (!visited.includes(id)) {
    visited.push(id);
    id = [...dependenciesOf(id)].find((one) => !sorted.has(one)) ?? '';
  }
  // Followed from reader to maker; reported from maker to reader, from the earliest in the given order on.
  const cycle = visited.slice(visited.indexOf(id)).reverse();
  const first = cycle.indexOf(ids.find((one) => cycle.includes(one)) ?? '');
  return [...cycle.slice(first), ...cycle.slice(0, first)];
}

export interface Maker {
  readonly id: string;
  readonly output: string;
}

/** What earlier instances make of a path. */
interface Makers {
  /** That whose output is the path, or contains it. Then none makes anything within. */
  readonly whole: Maker | null;
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
      if (relation === 'equal' || relation === 'inside') return { whole: { id, output }, within: [] };
      if (relation === 'around') within.push({ id, output });
    }
  }
  return { whole: null, within };
}

export function listMakers({ whole, within }: Makers): string[] {
  return whole === null ? [...new Set(within.map(({ id }) => id))] : [whole.id];
}

export function instanceOf({ instances }: Pick<Plan, 'instances'>, id: string): StageInstance {
  const instance = instances.get(id);
  if (instance === undefined) throw new Error(`no instance "${id}" in the plan`);
  return instance;
}
