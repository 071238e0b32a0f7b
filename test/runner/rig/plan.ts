import type { Json } from '../../../src/base/schema/json.ts';
import type {
  InputPath,
  Plan,
  Resources,
  StageCommand,
  StageInstance,
} from '../../../src/runner/plan/plan.ts';

export interface StageDescription {
  readonly id: string;
  /** A module, relative to the project; or a command. */
  readonly run?: string | readonly string[];
  /** Instead, a shell script. */
  readonly sh?: string;
  readonly params?: { readonly [key: string]: Json };
  readonly matrix?: Readonly<Record<string, string | number | boolean>>;
  readonly inputs?: readonly (string | { readonly path: string; readonly external: true })[];
  /** Default: none; of a shell script, `artifacts/<id>`. */
  readonly outputs?: readonly string[];
  readonly resume?: readonly string[];
  readonly variables?: readonly string[];
  readonly facts?: readonly string[];
  readonly resources?: Partial<Resources>;
  /** By default false: the modules of these tests count how often they run, in a folder that they do not declare. */
  readonly hermetic?: boolean;
}

/** JSON, so that it can be passed to another process. */
export interface PlanDescription {
  readonly projectRoot: string;
  readonly profile?: string;
  readonly stages: readonly StageDescription[];
}

/** A hand-made plan: stages in order, edges from paths. */
export function createPlan({ projectRoot, profile = 'test', stages }: PlanDescription): Plan {
  const instances = stages.map(toInstance);
  const dependencies = new Map(
    instances.map((one) => [
      one.id,
      instances
        .filter((other) => other.id !== one.id)
        .filter((other) =>
          other.outputs.some((output) => one.inputs.some((input) => touches(input.path, output))),
        )
        .map((other) => other.id),
    ]),
  );
  return {
    projectRoot,
    profile,
    settings: {},
    places: { place: () => `profile "${profile}"` },
    instances: new Map(instances.map((one) => [one.id, one])),
    dependencies,
    inactive: [],
  };
}

function touches(a: string, b: string): boolean {
  return a === b || a.startsWith(`${b}/`) || b.startsWith(`${a}/`);
}

function toInstance(stage: StageDescription, index: number): StageInstance {
  const { sh, run = ['sh', '-c', sh ?? ''] } = stage;
  const at = { file: 'pipeline.yaml', line: index + 1, column: 1 };
  const command: StageCommand =
    typeof run === 'string' ? { kind: 'module', path: run } : { kind: 'command', argv: run };
  const inputs = (stage.inputs ?? []).map(
    (input): InputPath =>
      typeof input === 'string' ? { path: input, external: false, at } : { ...input, at },
  );
  return {
    id: stage.id,
    stage: stage.id.split('@', 1)[0] ?? stage.id,
    matrix: stage.matrix ?? {},
    command,
    params: stage.params ?? {},
    inputs,
    outputs: stage.outputs ?? (sh === undefined ? [] : [`artifacts/${stage.id}`]),
    resume: stage.resume ?? [],
    variables: stage.variables ?? [],
    facts: stage.facts ?? [],
    hermetic: stage.hermetic ?? false,
    resources: { cpu: 1, memoryBytes: 2 ** 20, gpu: 0, timeSeconds: null, ...stage.resources },
    at,
  };
}
