import { relatePaths } from './path-trie.ts';
import type { Plan, StageInstance } from './plan.ts';

/** An instance, and the output of it that a path has to do with. */
export interface Maker {
  readonly id: string;
  readonly output: string;
}

/** What earlier instances make of a path. At most one of them makes the whole, and then none makes anything within. */
export interface Makers {
  /** The one whose output the path is. */
  readonly exact: Maker | null;
  /** The one whose output the path is a part of. */
  readonly part: Maker | null;
  /** Those whose outputs lie within the path, in plan order. */
  readonly within: readonly Maker[];
}

/**
 * Which of the instances that an instance depends on make an input.
 *
 * @param input in the project's form, as plans have it
 */
export function makersOf(plan: Plan, instance: StageInstance, input: string): Makers {
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

/** The ids of those who make any of it. */
export function listMakers({ exact, part, within }: Makers): string[] {
  const whole = exact ?? part;
  return whole === null ? [...new Set(within.map(({ id }) => id))] : [whole.id];
}
