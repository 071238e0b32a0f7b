import { existsSync } from 'node:fs';
import path from 'node:path';
import type { JobRequest } from '../../executors/slurm/job-script.ts';
import type { RequestKey } from '../../executors/slurm/submission-errors.ts';
import { formatPlace } from '../../schema/problems.ts';
import { listMakers, makersOf } from '../plan/graph.ts';
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
    resources.timeSeconds === null ? defaults.timeSeconds : resources.timeSeconds + settings.overheadSeconds;
  const timeSeconds = own.timeSeconds ?? limitSeconds ?? null;
  return {
    ...pickNames({ ...defaults, ...own }),
    cpus: own.cpu ?? shared,
    memoryBytes: own.memoryBytes ?? memoryBytes ?? null,
    gpus: own.gpu ?? (resources.gpu > 0 ? resources.gpu : (defaults.gpu ?? 0)),
    gpuType: own.gpuType ?? defaults.gpuType ?? null,
    timeSeconds,
    // Only a stage that can continue later benefits from a warning.
    warnSeconds: resume.length > 0 ? warningIn(timeSeconds, settings.warningSeconds) : null,
    arrayLimit: own.arrayLimit ?? defaults.arrayLimit ?? null,
    flags: [...(defaults.flags ?? []), ...(own.flags ?? [])],
  };
}

/** What the job of `--detach` requests. */
export function driverRequest({ driver, defaults, warningSeconds }: ClusterSettings): JobRequest {
  return {
    ...pickNames({ ...pickNames(defaults), ...driver }),
    cpus: driver.cpu ?? 1,
    memoryBytes: driver.memoryBytes ?? driverMemoryBytes,
    gpus: driver.gpu ?? 0,
    gpuType: driver.gpuType ?? null,
    timeSeconds: driver.timeSeconds ?? null,
    warnSeconds: warningIn(driver.timeSeconds ?? null, warningSeconds),
    flags: driver.flags ?? [],
  };
}

/** The partition or the cluster may have a limit of its own. */
function warningIn(timeSeconds: number | null, warningSeconds: number): number {
  return Math.min(warningSeconds, (timeSeconds ?? Number.POSITIVE_INFINITY) / 2);
}

function pickNames(request: StageRequest): Pick<JobRequest, 'partition' | 'account' | 'qos' | 'constraint'> {
  const { partition, account, qos, constraint } = request;
  const all = Object.entries({ partition, account, qos, constraint });
  return Object.fromEntries(all.filter(([, value]) => value !== undefined));
}

/** Where the first of some keys of an instance's request is written, for the message of a refusal: as `requestOf` takes it. */
export function findPlace(
  { stage, at, timeAt, resources, hasOwnMemory = false }: StageInstance,
  { stages, defaults, placeOf }: ClusterSettings,
  keys: readonly RequestKey[],
): string {
  const { cpu, gpu, timeSeconds } = resources;
  const inPipeline: { readonly [Key in RequestKey]?: boolean } = {
    cpu: cpu !== 'share',
    memory: hasOwnMemory,
    gpu: gpu > 0,
    time: timeSeconds !== null,
  };
  for (const key of keys) {
    const name = key === 'memory' ? 'memoryBytes' : key === 'time' ? 'timeSeconds' : key;
    if (stages[stage]?.[name] !== undefined) return formatPlace(placeOf(['stages', stage, key]));
    if (inPipeline[key] === true) return formatPlace((key === 'time' ? timeAt : undefined) ?? at);
    if (defaults[name] !== undefined) return formatPlace(placeOf(['defaults', key]));
  }
  return formatPlace(at);
}

/** Something that is probably a mistake, and would otherwise show up only after waiting in the queue. */
export interface SubmissionWarning {
  readonly id: string;
  readonly text: string;
}

/**
 * Finds probable mistakes in instances that are about to be submitted, each once. They are no errors, since nodes may see more file systems
 * than the submitting machine.
 */
export function findSubmissionWarnings(
  plan: Plan,
  ids: readonly string[],
  settings: ClusterSettings,
): SubmissionWarning[] {
  const warnings = new Map<string, SubmissionWarning>();
  for (const instance of ids.flatMap((id) => plan.instances.get(id) ?? [])) {
    if (staysLocal(instance, settings)) continue;
    const { id } = instance;
    const add = (text: string): void => {
      if (!warnings.has(text)) warnings.set(text, { id, text });
    };
    for (const input of instance.inputs) {
      if (!input.external || listMakers(makersOf(plan, instance, input.path)).length > 0) continue;
      const absolute = path.resolve(plan.projectRoot, input.path);
      if (existsSync(absolute)) continue;
      add(
        `${absolute} does not exist here: unless the nodes have it, the job fails\n${formatPlace(input.at)}`,
      );
    }
  }
  return [...warnings.values()];
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
