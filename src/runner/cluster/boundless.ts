import type { Plan } from '../plan/plan.ts';
import type { MachineResources } from '../run/machine.ts';

/** A machine on which everything fits: what a node has, the cluster knows. */
export function boundlessMachine(plan: Plan): MachineResources {
  const gpus = Math.max(0, ...[...plan.instances.values()].map(({ resources }) => resources.gpu));
  return {
    cpu: Number.POSITIVE_INFINITY,
    memoryBytes: Number.POSITIVE_INFINITY,
    gpus: Array.from({ length: gpus }, (_, i) => String(i)),
  };
}
