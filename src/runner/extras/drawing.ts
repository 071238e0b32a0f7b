import { listMakers, makersOf } from '../plan/graph.ts';
import type { Plan, StageInstance } from '../plan/plan.ts';

/** One line per stage, in run order: name, what it reads from, what it makes. */
export function drawGraph(plan: Plan): string {
  const rows = foldPlan(plan).map((stage) => ({
    name: nameFolded(stage),
    reads: [...stage.dependencies, ...stage.sources].join(', '),
    outputs: stage.outputs.join(', '),
  }));
  const nameWidth = Math.max(
    0,
    ...[...rows.map(({ name }) => name), ...plan.inactive].map(({ length }) => length),
  );
  // A stage with many inputs must not push all outputs off the screen.
  const readsWidth = Math.min(60, Math.max(0, ...rows.map(({ reads }) => reads.length)));
  const lines = rows.map(
    ({ name, reads, outputs }) =>
      `${name.padEnd(nameWidth)}  ${reads === '' ? '  ' : '<-'} ${reads.padEnd(readsWidth)}  -> ${outputs}`,
  );
  const left = plan.inactive.map((name) => `${name.padEnd(nameWidth)}  (not in profile ${plan.profile})`);
  return [...lines, ...left].join('\n');
}

/** A Mermaid flowchart, which GitHub and other readers of Markdown draw. */
export function drawMermaid(plan: Plan): string {
  const stages = foldPlan(plan);
  // Numbered, because words such as "end" cannot be names in Mermaid.
  const ids = new Map(stages.map(({ name }, index) => [name, `s${index}`]));
  const nodes = stages.map((stage) => `  ${ids.get(stage.name)}["${nameFolded(stage)}"]`);
  const edges = stages.flatMap(({ name, dependencies }) =>
    dependencies.map((dependency) => `  ${ids.get(dependency)} --> ${ids.get(name)}`),
  );
  return ['flowchart LR', ...nodes, ...edges].join('\n');
}

/** The instances of a plan, as one JSON document. */
export function describeGraph(plan: Plan) {
  return {
    version: 1,
    command: 'graph',
    profile: plan.profile,
    instances: [...plan.instances.values()].map((instance) => {
      const { id, stage, matrix, command, params, outputs, resources } = instance;
      const inputs = instance.inputs.map(({ path, external }) => ({ path, external }));
      const dependencies = plan.dependencies.get(id) ?? [];
      return { id, stage, matrix, command, params, inputs, outputs, dependencies, resources };
    }),
    inactive: plan.inactive,
  };
}

interface FoldedStage {
  readonly name: string;
  readonly instances: readonly StageInstance[];
  /** Stages it reads from, in plan order. */
  readonly dependencies: readonly string[];
  /** Inputs that no stage makes, with `*` where instances differ. */
  readonly sources: readonly string[];
  readonly outputs: readonly string[];
}

/** The stages in plan order; a stage reads what any of its instances reads. */
function foldPlan(plan: Pick<Plan, 'instances' | 'dependencies'>): FoldedStage[] {
  const members = new Map<string, StageInstance[]>();
  for (const instance of plan.instances.values()) {
    members.set(instance.stage, [...(members.get(instance.stage) ?? []), instance]);
  }
  const order = [...members.keys()];

  return [...members].map(([name, instances]) => {
    const read = instances.flatMap(({ id }) => plan.dependencies.get(id) ?? []);
    const dependencies = new Set(read.map((id) => plan.instances.get(id)?.stage));
    const sourcesOf = (instance: StageInstance): string[] =>
      instance.inputs
        .map(({ path }) => path)
        .filter((path) => listMakers(makersOf(plan, instance, path)).length === 0);
    return {
      name,
      instances,
      dependencies: order.filter((stage) => stage !== name && dependencies.has(stage)),
      sources: foldPaths(instances.map(sourcesOf)),
      outputs: foldPaths(instances.map(({ outputs }) => outputs)),
    };
  });
}

/** `train x4`. */
function nameFolded({ name, instances }: FoldedStage): string {
  const [first] = instances;
  return Object.keys(first?.matrix ?? {}).length === 0 ? name : `${name} x${instances.length}`;
}

/** One path per entry for all instances: segments in which they differ become `*`. */
function foldPaths(lists: readonly (readonly string[])[]): string[] {
  const [first = []] = lists;
  return first.map((path, index) => {
    const folded = path.split('/');
    for (const list of lists) {
      for (const [position, segment] of (list[index] ?? '').split('/').entries()) {
        const own = folded[position];
        if (own !== undefined && own !== segment) folded[position] = foldSegment(own, segment);
      }
    }
    return folded.join('/');
  });
}

/** `baseline.yaml` and `no-reg.yaml`: `*.yaml`. */
function foldSegment(a: string, b: string): string {
  const extension = /\.[a-z]\w*$/.exec(a)?.[0] ?? '';
  return extension !== '' && b.endsWith(extension) ? `*${extension}` : '*';
}
