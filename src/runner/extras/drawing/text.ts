import type { Plan } from '../../plan/plan.ts';
import { foldPlan, nameFolded } from './folded-graph.ts';

/** One line per stage, in run order: name, what it reads from, what it makes. */
export function drawText(plan: Plan): string {
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
