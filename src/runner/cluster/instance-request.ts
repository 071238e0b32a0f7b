import { ReproError } from '../../errors.ts';
import type { JobOptions } from '../../executors/slurm/job-options.ts';
import { formatPlace } from '../../schema/source-position.ts';
import type { StageInstance } from '../plan/plan.ts';
import type { ClusterSettings } from './settings.ts';

/** What an instance asks of the cluster: everything about its job but what belongs to one submission. */
export type InstanceRequest = Omit<
  JobOptions,
  'name' | 'comment' | 'array' | 'dependencies' | 'logPattern'
> & {
  /** How many instances of its stage may run at once; null: any number. */
  readonly arrayLimit: number | null;
};

/** What the runner needs in a job beside its stage: 150 MB, and room for the records of a large graph. */
const runnerMemoryBytes = 256 * 2 ** 20;

/** Whether an instance runs on the submitting machine. */
export function staysLocal(instance: StageInstance, { defaults, stages }: ClusterSettings): boolean {
  const asked =
    stages[instance.stage]?.executor ?? (instance.cluster?.staysLocal === true ? 'local' : undefined);
  return (asked ?? defaults.executor ?? 'slurm') === 'local';
}

/** The site's entry for a stage goes before the pipeline file, and that before the site's defaults. */
export function requestOf(instance: StageInstance, settings: ClusterSettings): InstanceRequest {
  const { resources, cluster, resume } = instance;
  const { defaults } = settings;
  const own = settings.stages[instance.stage] ?? {};
  const named = (name: 'partition' | 'account' | 'qos' | 'constraint') => {
    const value = own[name] ?? cluster?.[name] ?? defaults[name];
    return value === undefined ? {} : { [name]: value };
  };
  const shared = resources.cpu === 'share' ? (defaults.cpu ?? 1) : resources.cpu;
  const memoryBytes =
    cluster?.hasOwnMemory === true ? resources.memoryBytes + runnerMemoryBytes : defaults.memoryBytes;
  const limitSeconds =
    resources.timeSeconds === null ? defaults.timeSeconds : resources.timeSeconds + settings.overheadSeconds;
  const timeSeconds = own.timeSeconds ?? limitSeconds ?? null;
  return {
    ...named('partition'),
    ...named('account'),
    ...named('qos'),
    ...named('constraint'),
    cpus: own.cpu ?? shared,
    memoryBytes: own.memoryBytes ?? memoryBytes ?? null,
    gpus: own.gpu ?? (resources.gpu > 0 ? resources.gpu : (defaults.gpu ?? 0)),
    gpuType: own.gpuType ?? defaults.gpuType ?? null,
    timeSeconds,
    // Only who can go on later gains by being told: also of the partition's own limit.
    warnSeconds:
      resume.length > 0
        ? Math.min(settings.warningSeconds, (timeSeconds ?? Number.POSITIVE_INFINITY) / 2)
        : null,
    arrayLimit: own.arrayLimit ?? cluster?.arrayLimit ?? defaults.arrayLimit ?? null,
    flags: [...(defaults.flags ?? []), ...(cluster?.flags ?? []), ...(own.flags ?? [])],
  };
}

/**
 * The name of what only one job at a time may use; null: nothing.
 *
 * @throws {ReproError} `several-mutexes`
 */
export function mutexOf({ resources: { mutexes }, at, stage }: StageInstance): string | null {
  const [first = null, ...others] = mutexes;
  if (others.length === 0) return first;
  throw new ReproError(
    'several-mutexes',
    `stage "${stage}" has ${mutexes.length} mutexes; a job of Slurm can have one`,
    {
      where: formatPlace(at),
      fix: 'Let it run on this machine (executor: local), or use one name for all of them.',
    },
  );
}
