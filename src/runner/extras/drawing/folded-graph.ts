import { PathTrie } from '../../plan/path-trie.ts';
import type { Plan, StageInstance } from '../../plan/plan.ts';

/** A stage with its instances folded into one. */
export interface FoldedStage {
  readonly name: string;
  readonly instances: readonly StageInstance[];
  /** Stages it reads from, in plan order. */
  readonly dependencies: readonly string[];
  /** Inputs that no stage makes, with `*` where instances differ. */
  readonly sources: readonly string[];
  readonly outputs: readonly string[];
}

/** The stages in plan order; a stage reads what any of its instances reads. */
export function foldPlan(plan: Plan): FoldedStage[] {
  const stageOf = new Map([...plan.instances.values()].map(({ id, stage }) => [id, stage]));
  const members = new Map<string, StageInstance[]>();
  for (const instance of plan.instances.values()) {
    const known = members.get(instance.stage);
    if (known === undefined) members.set(instance.stage, [instance]);
    else known.push(instance);
  }
  const order = [...members.keys()];
  const rank = new Map(order.map((name, index) => [name, index]));
  const made = collectOutputs(plan);

  return [...members].map(([name, instances]) => {
    const dependencies = new Set<string>();
    for (const { id } of instances) {
      for (const dependency of plan.dependencies.get(id) ?? []) {
        const stage = stageOf.get(dependency);
        if (stage !== undefined && stage !== name) dependencies.add(stage);
      }
    }
    const isSource = (path: string) => made.related(path).next().done === true;
    return {
      name,
      instances,
      dependencies: [...dependencies].sort((a, b) => (rank.get(a) ?? 0) - (rank.get(b) ?? 0)),
      sources: foldPaths(instances.map(({ inputs }) => inputs.map(({ path }) => path).filter(isSource))),
      outputs: foldPaths(instances.map(({ outputs }) => outputs)),
    };
  });
}

/** `train x4`. */
export function nameFolded({ name, instances }: FoldedStage): string {
  const [first] = instances;
  return Object.keys(first?.matrix ?? {}).length === 0 ? name : `${name} x${instances.length}`;
}

/** The outputs of all instances, to check whether an input touches any of them. */
function collectOutputs(plan: Plan): PathTrie<string> {
  const made = new PathTrie<string>();
  for (const { id, outputs } of plan.instances.values()) for (const output of outputs) made.add(output, id);
  return made;
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
