import { ReproError } from '../../base/errors.ts';
import { suggestName } from '../../base/schema/closest-name.ts';
import type { Plan, StageInstance } from './plan.ts';

export interface StageSelection {
  /** `train` (all its instances), `train@baseline,2020`, `train@baseline` or `train@*,2020`; none means everything. */
  readonly targets?: readonly string[] | undefined;
  /** Only this stage and what depends on it (plus what those need). */
  readonly from?: string | undefined;
  readonly until?: string | undefined;
}

interface Selected {
  /** What was selected, with everything it depends on, in plan order. */
  readonly selected: ReadonlySet<string>;
  /** What was selected by name or range, without its dependencies; everything if nothing was selected. */
  readonly named: ReadonlySet<string>;
}

/** The instances that the user selected. @throws {ReproError} `usage` if a name is unknown or left out by the profile, or if nothing matches */
export function selectInstances(plan: Plan, selection: StageSelection): Selected {
  const { targets = [], from, until } = selection;
  const all = new Set(plan.instances.keys());
  const matched = new Set(targets.flatMap((one) => matchInstances(plan, one)));
  let wanted = all;
  if (targets.length > 0) wanted = intersect(wanted, withDependencies(plan, matched));
  if (until !== undefined) wanted = intersect(wanted, withDependencies(plan, matchInstances(plan, until)));
  if (from !== undefined) wanted = intersect(wanted, withDependents(plan, matchInstances(plan, from)));
  if (wanted.size === 0 && from !== undefined) {
    throw new ReproError('usage', `there is nothing between "${from}" and "${until ?? targets.join(', ')}"`, {
      fix: `"${until ?? targets.join(', ')}" does not depend on "${from}": \`./repro graph\` shows what does.`,
    });
  }
  // In plan order, so that listing the selection shows the order in which it will run.
  return {
    selected: intersect(all, withDependencies(plan, wanted)),
    named: intersect(wanted, targets.length > 0 ? matched : wanted),
  };
}

/** @throws {ReproError} `usage`, with the closest stage or instance */
export function matchInstances(plan: Plan, target: string): string[] {
  const at = target.indexOf('@');
  const stage = at === -1 ? target : target.slice(0, at);
  const instances = [...plan.instances.values()].filter((one) => one.stage === stage);
  if (instances.length === 0) throw unknownStage(plan, stage);
  if (at === -1) return instances.map(({ id }) => id);

  const wanted = target.slice(at + 1).split(',');
  const found = instances.filter((one) => matches(one, wanted));
  if (found.length === 0) throw unknownInstance(target, stage, instances);
  return found.map(({ id }) => id);
}

/** Values in the order of the matrix; `*` and omitted values at the end match everything. */
function matches({ matrix }: StageInstance, wanted: readonly string[]): boolean {
  const values = Object.values(matrix).map(String);
  return (
    wanted.length <= values.length && wanted.every((value, index) => value === '*' || value === values[index])
  );
}

/** These instances, and all that they read from, directly or not. */
export function withDependencies(plan: Pick<Plan, 'dependencies'>, ids: Iterable<string>): Set<string> {
  const reached = new Set(ids);
  // A set is iterated in insertion order, including what is added on the way.
  for (const id of reached) for (const one of plan.dependencies.get(id) ?? []) reached.add(one);
  return reached;
}

function withDependents(plan: Plan, ids: Iterable<string>): Set<string> {
  const reached = new Set(ids);
  // In plan order, what is read comes before what reads it.
  for (const [id, dependencies] of plan.dependencies) {
    if (dependencies.some((one) => reached.has(one))) reached.add(id);
  }
  return reached;
}

function intersect(order: ReadonlySet<string>, other: ReadonlySet<string>): Set<string> {
  return new Set([...order].filter((id) => other.has(id)));
}

function unknownStage(plan: Plan, stage: string): ReproError {
  if (plan.inactive.includes(stage)) {
    return new ReproError('usage', `profile "${plan.profile}" leaves out stage "${stage}"`, {
      fix: 'Its `when:` in the pipeline file says which profiles include it.',
    });
  }
  if (stage.includes('=')) {
    return new ReproError('usage', `"${stage}" is not a stage; it looks like a setting`, {
      fix: `Write --set ${stage}; after npm run, options follow \`--\`: npm run reproduce -- --set ${stage}`,
    });
  }
  const stages = new Set([...plan.instances.values()].map((one) => one.stage));
  return new ReproError('usage', `there is no stage "${stage}"`, {
    fix: suggestName(stage, [...stages, ...plan.inactive]),
  });
}

function unknownInstance(target: string, stage: string, instances: readonly StageInstance[]): ReproError {
  const ids = instances.map(({ id }) => id);
  const other = 'If it is of a run with --set, add the same --set.';
  return new ReproError('usage', `stage "${stage}" has no instance "${target}"`, {
    fix: [suggestName(target, ids), other].filter(Boolean).join('\n'),
  });
}
