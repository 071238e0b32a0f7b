import type { Plan } from '../../plan/plan.ts';
import { foldPlan, nameFolded } from './folded-graph.ts';

/** A Mermaid flowchart, which GitHub draws inside Markdown. */
export function drawMermaid(plan: Plan): string {
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
