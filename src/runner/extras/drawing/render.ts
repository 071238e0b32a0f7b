import { unreachable } from '../../../errors.ts';
import { foldPlan, nameFolded } from '../../plan/folded-plan.ts';
import type { Plan } from '../../plan/plan.ts';
import { drawSvg } from './svg.ts';

type GraphFormat = 'text' | 'mermaid' | 'svg' | 'json';

/** Draws the stages of a plan and what they read from each other; the instances of a matrix are drawn as one. */
export function renderGraph(plan: Plan, format: GraphFormat): string {
  switch (format) {
    case 'text':
      return drawText(plan);
    case 'mermaid':
      return drawMermaid(plan);
    case 'svg':
      return drawSvg(plan);
    case 'json':
      return drawJson(plan);
    default:
      return unreachable(format);
  }
}

/** One line per stage, in run order: name, what it reads from, what it makes. */
function drawText(plan: Plan): string {
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

/** A Mermaid flowchart, which GitHub draws inside Markdown. */
function drawMermaid(plan: Plan): string {
  const stages = foldPlan(plan);
  // Numbered, because words such as "end" cannot be names in Mermaid.
  const ids = new Map(stages.map(({ name }, index) => [name, `s${index}`]));
  const nodes = stages.map((stage) => `  ${ids.get(stage.name)}["${nameFolded(stage)}"]`);
  const edges = stages.flatMap(({ name, dependencies }) =>
    dependencies.map((dependency) => `  ${ids.get(dependency)} --> ${ids.get(name)}`),
  );
  const inactive = plan.inactive.map((name, index) => `  i${index}["${name}"]:::inactive`);
  const style = inactive.length === 0 ? [] : ['  classDef inactive stroke-dasharray: 4, opacity: 0.5'];
  return ['flowchart TD', ...nodes, ...inactive, ...edges, ...style].join('\n');
}

function drawJson(plan: Plan): string {
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
