import { existsSync } from 'node:fs';
import path from 'node:path';
import { ReproError } from '../../errors.ts';
import { formatTimeLimit, type JobOptions } from '../../executors/slurm/job-options.ts';
import type { RequestKey } from '../../executors/slurm/submission-errors.ts';
import { formatPlace, type Place } from '../../schema/problems.ts';
import { listMakers, makersOf } from '../plan/graph.ts';
import type { Plan, StageInstance } from '../plan/plan.ts';
import type { MachineResources } from '../run/machine.ts';
import type { ClusterSettings, StageRequest } from './cluster-settings.ts';

/** What an instance asks of the cluster: the options of its job, without those of a single submission. */
export type InstanceRequest = Omit<
  JobOptions,
  'name' | 'comment' | 'array' | 'dependencies' | 'logPattern'
> & {
  /** How many instances of its stage may run at once; null: any number. */
  readonly arrayLimit: number | null;
};

/** Memory of a job for the runner itself: it needs 150 MB, and more for the records of a large graph. */
const runnerMemoryBytes = 256 * 2 ** 20;

/** Whether an instance runs on the submitting machine. */
export function staysLocal(instance: StageInstance, { defaults, stages }: ClusterSettings): boolean {
  const asked =
    stages[instance.stage]?.executor ?? (instance.cluster?.staysLocal === true ? 'local' : undefined);
  return (asked ?? defaults.executor ?? 'slurm') === 'local';
}

/** The site's entry for the stage takes precedence over the pipeline file, which takes precedence over the site's defaults. */
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
    // Only a stage that can continue later benefits from a warning; the partition may have a limit of its own.
    warnSeconds:
      resume.length > 0
        ? Math.min(settings.warningSeconds, (timeSeconds ?? Number.POSITIVE_INFINITY) / 2)
        : null,
    arrayLimit: own.arrayLimit ?? cluster?.arrayLimit ?? defaults.arrayLimit ?? null,
    flags: [...(defaults.flags ?? []), ...(cluster?.flags ?? []), ...(own.flags ?? [])],
  };
}

/**
 * The mutex of an instance: only one job at a time may hold it; null: none.
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

/**
 * Where the values of an instance's request are written, for the message of a refusal: in the stage's entry in the site's file, in the
 * pipeline, or in the site's defaults, as `requestOf` takes them. Keys that are written nowhere have no place.
 */
export function findPlaces(
  instance: StageInstance,
  settings: ClusterSettings,
  keys: readonly RequestKey[],
): string[] {
  const own = settings.stages[instance.stage] ?? {};
  const places = keys.flatMap((key): Place[] => {
    const inStage = hasKey(own, key) ? [settings.placeOf(['stages', instance.stage, key])] : [];
    const inPipeline = isInPipeline(instance, key)
      ? [(key === 'time' ? instance.timeAt : undefined) ?? instance.at]
      : [];
    const inDefaults = hasKey(settings.defaults, key) ? [settings.placeOf(['defaults', key])] : [];
    const all = [...inStage, ...inPipeline, ...inDefaults];
    return key === 'flags' ? all : all.slice(0, 1);
  });
  return [...new Set(places.map(formatPlace))];
}

function hasKey(request: StageRequest, key: RequestKey): boolean {
  const names = { memory: 'memoryBytes', time: 'timeSeconds' } as const;
  return request[key === 'memory' || key === 'time' ? names[key] : key] !== undefined;
}

function isInPipeline({ resources, cluster }: StageInstance, key: RequestKey): boolean {
  switch (key) {
    case 'cpu':
      return resources.cpu !== 'share';
    case 'memory':
      return cluster?.hasOwnMemory === true;
    case 'gpu':
      return resources.gpu > 0;
    case 'time':
      return resources.timeSeconds !== null;
    case 'flags':
      return (cluster?.flags ?? []).length > 0;
    default:
      return cluster?.[key] !== undefined;
  }
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
    const { warnSeconds, timeSeconds } = requestOf(instance, settings);
    if (warnSeconds === null || timeSeconds === null || warnSeconds >= settings.warningSeconds) continue;
    const [told, limit] = [Math.round(warnSeconds), formatTimeLimit(timeSeconds)];
    add(
      `stage "${instance.stage}" is warned ${told} s before the end of its time rather than ${settings.warningSeconds} s: \`warning\` is more than half of its ${limit}`,
    );
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
