import type { RequestKey } from '../../executors/slurm/submission-errors.ts';
import { formatPlace, type Place } from '../../schema/source-position.ts';
import type { StageInstance } from '../plan/plan.ts';
import type { ClusterSettings, StageRequest } from './settings.ts';

/**
 * Where what an instance asks for is written, for the message of a refusal: the entry of its stage in the site's file, the pipeline, or the
 * site's defaults, as `requestOf` takes it. Keys that are written nowhere have no place.
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
