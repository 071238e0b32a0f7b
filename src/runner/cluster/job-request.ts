import { existsSync } from 'node:fs';
import path from 'node:path';
import type { JobRequest } from '../../executors/slurm/job-script.ts';
import type { RequestKey } from '../../executors/slurm/slurm.ts';
import { formatPlace } from '../../schema/problems.ts';
import { instanceOf } from '../plan/graph.ts';
import type { Plan, StageInstance } from '../plan/plan.ts';
import type { MachineResources } from '../run/machine.ts';
import type { ClusterSettings, StageRequest } from './cluster-settings.ts';

/** What an instance asks of the cluster. */
export type InstanceRequest = JobRequest & {
  /** How many instances of its stage may run at once; null: any number. */
  readonly arrayLimit: number | null;
};

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
export function requestOf(instance: StageInstance, settings: ClusterSettings): InstanceRequest {
  const { resources, hasOwnMemory, resume } = instance;
  const { defaults } = settings;
  const own = settings.stages[instance.stage] ?? {};
  const shared = resources.cpu === 'share' ? (defaults.cpu ?? 1) : resources.cpu;
  const memoryBytes =
    hasOwnMemory === true ? resources.memoryBytes + runnerMemoryBytes : defaults.memoryBytes;
  const limitSeconds =
    resources.timeSeconds === null ? defaults.timeSeconds : resources.timeSeconds + overheadSeconds;
  const timeSeconds = own.timeSeconds ?? limitSeconds ?? null;
  return {
    ...pickNames({ ...defaults, ...own }),
    cpus: own.cpu ?? shared,
    memoryBytes: own.memoryBytes ?? memoryBytes ?? null,
    gpus: own.gpu ?? (resources.gpu > 0 ? resources.gpu : (defaults.gpu ?? 0)),
    gpuType: own.gpuType ?? defaults.gpuType ?? null,
    timeSeconds,
    // Only a stage that can continue later benefits from a warning.
    warnSeconds: resume.length > 0 ? warningIn(timeSeconds) : null,
    arrayLimit: own.arrayLimit ?? defaults.arrayLimit ?? null,
    flags: [...(defaults.flags ?? []), ...(own.flags ?? [])],
  };
}

/** What the job of `--detach` requests. */
export function driverRequest({ driver, defaults }: ClusterSettings): JobRequest {
  return {
    ...pickNames({ ...pickNames(defaults), ...driver }),
    cpus: driver.cpu ?? 1,
    memoryBytes: driver.memoryBytes ?? driverMemoryBytes,
    gpus: driver.gpu ?? 0,
    gpuType: driver.gpuType ?? null,
    timeSeconds: driver.timeSeconds ?? null,
    warnSeconds: warningIn(driver.timeSeconds ?? null),
    flags: driver.flags ?? [],
  };
}

/** How long before the end of its time a job is told to save. The partition may have a limit of its own. */
function warningIn(timeSeconds: number | null): number {
  return Math.min(120, (timeSeconds ?? Number.POSITIVE_INFINITY) / 2);
}

function pickNames(request: StageRequest): Pick<JobRequest, 'partition' | 'account' | 'qos' | 'constraint'> {
  const { partition, account, qos, constraint } = request;
  const all = Object.entries({ partition, account, qos, constraint });
  return Object.fromEntries(all.filter(([, value]) => value !== undefined));
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

/** Data that is not here, of instances about to be submitted: probably a mistake, or only the nodes have it. Path -> instance and text. */
export function findMissingData(plan: Plan, ids: readonly string[], settings: ClusterSettings) {
  const missing = new Map<string, { readonly id: string; readonly text: string }>();
  for (const instance of ids.map((id) => instanceOf(plan, id))) {
    if (staysLocal(instance, settings)) continue;
    for (const input of instance.inputs) {
      const absolute = path.resolve(plan.projectRoot, input.path);
      if (!input.external || missing.has(absolute) || existsSync(absolute)) continue;
      const text = `${absolute} does not exist here: unless the nodes have it, the job fails\n${formatPlace(input.at)}`;
      missing.set(absolute, { id: instance.id, text });
    }
  }
  return [...missing.values()];
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
