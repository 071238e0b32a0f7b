import type { JobRequest } from '../../executors/slurm/job-script.ts';
import type { RequestKey } from '../../executors/slurm/slurm.ts';
import { formatPlace } from '../../schema/problems.ts';
import type { Plan, StageInstance } from '../plan/plan.ts';
import type { MachineResources } from '../run/machine.ts';
import type { ClusterSettings } from './cluster-settings.ts';

/** Memory of a job for the runner itself: it needs 150 MB, and more for the records of a large graph. */
const runnerMemoryBytes = 256 * 2 ** 20;

/** Of a job beyond `resources.time` of its stage: for hashing and storing what it made. */
const overheadSeconds = 600;

/** For the runner, and for hashing what stages have made. */
const driverMemoryBytes = 2 ** 30;

/** Whether an instance runs on the submitting machine. */
export function staysLocal(instance: StageInstance, { defaults, stages }: ClusterSettings): boolean {
  const asked = stages[instance.stage]?.executor ?? (instance.staysLocal === true ? 'local' : undefined);
  return (asked ?? defaults.executor ?? 'slurm') === 'local';
}

/** The site's entry for the stage takes precedence over the pipeline file, which takes precedence over the site's defaults. */
export function requestOf(instance: StageInstance, { defaults, stages }: ClusterSettings): JobRequest {
  const { cpu, gpu, memoryBytes, timeSeconds } = instance.resources;
  const site = stages[instance.stage] ?? {};
  const request = {
    ...defaults,
    ...(cpu !== 'share' && { cpu }),
    ...(gpu > 0 && { gpu }),
    ...(instance.hasOwnMemory === true && { memoryBytes: memoryBytes + runnerMemoryBytes }),
    ...(timeSeconds !== null && { timeSeconds: timeSeconds + overheadSeconds }),
    ...site,
    flags: [...(defaults.flags ?? []), ...(site.flags ?? [])],
  };
  // Only a stage that can continue later benefits from a warning.
  return instance.resume.length === 0 ? request : withWarning(request);
}

/** What the job of `--detach` requests. */
export function driverRequest({ driver, defaults }: ClusterSettings): JobRequest {
  const names = ['partition', 'account', 'qos', 'constraint'];
  const shared = Object.fromEntries(Object.entries(defaults).filter(([name]) => names.includes(name)));
  return withWarning({ ...shared, memoryBytes: driverMemoryBytes, ...driver });
}

/** Two minutes before its time is over; the partition may have a limit of its own. */
function withWarning(request: JobRequest): JobRequest {
  return { ...request, warnSeconds: Math.min(120, (request.timeSeconds ?? Number.POSITIVE_INFINITY) / 2) };
}

/** Where the first of some keys of an instance's request is written, for the message of a refusal; else where its stage is. */
export function findPlace(
  { stage, at }: Pick<StageInstance, 'stage' | 'at'>,
  { stages, defaults, placeOf }: ClusterSettings,
  keys: readonly RequestKey[],
): string {
  for (const key of keys) {
    if (stages[stage]?.[key] !== undefined) return formatPlace(placeOf(['stages', stage, key]));
    if (defaults[key] !== undefined) return formatPlace(placeOf(['defaults', key]));
  }
  return formatPlace(at);
}

/** A machine on which everything fits: the cluster, not the runner, knows what a node has. */
export function unlimitedMachine(plan: Plan): MachineResources {
  const gpus = Math.max(0, ...[...plan.instances.values()].map(({ resources }) => resources.gpu));
  return {
    cpu: Number.POSITIVE_INFINITY,
    memoryBytes: Number.POSITIVE_INFINITY,
    gpus: Array.from({ length: gpus }, (_, i) => String(i)),
  };
}
