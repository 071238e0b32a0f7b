import type { Plan } from '../../plan/plan.ts';

/** The graph as one JSON document, for programs. */
export function drawJson(plan: Plan): string {
  const document = {
    version: 1,
    command: 'graph',
    profile: plan.profile,
    instances: [...plan.instances.values()].map((instance) => ({
      id: instance.id,
      stage: instance.stage,
      matrix: instance.matrix,
      command: instance.command,
      params: instance.params,
      inputs: instance.inputs.map(({ path, external }) => ({ path, external })),
      outputs: instance.outputs,
      dependencies: plan.dependencies.get(instance.id) ?? [],
      resources: instance.resources,
    })),
    inactive: plan.inactive,
  };
  return JSON.stringify(document, null, 2);
}
