import { COMPAT_SWITCHES, FRAME_SWITCHES, type Switch } from '../../thesis/compat.ts';
import type { ModelResult, Results, RunResult } from './results.ts';

/** A switch with its name, and for one of the frames, the data set that it concerns. */
export interface NamedSwitch extends Switch {
  readonly name: string;
  readonly dataset?: string;
}

export const SWITCHES: readonly NamedSwitch[] = Object.entries<Omit<NamedSwitch, 'name'>>({
  ...COMPAT_SWITCHES,
  ...FRAME_SWITCHES,
}).map(([name, one]) => ({ name, ...one }));

/** The switches that are not at their defaults for every model: `trials=first-88`. */
export function listSwitched(results: Results): string[] {
  return SWITCHES.flatMap((one) =>
    [...usedValues(results, one)]
      .filter(([value, models]) => !isConsequence(one, value, models))
      .map(([value]) => value)
      .filter((value) => one.choices.slice(1).some((choice) => choice.value === value))
      .map((value) => `${one.name}=${value}`),
  );
}

/** Whether nobody chose this value: without clips to validate on, the last epoch is kept. */
export function isConsequence(
  { name }: NamedSwitch,
  value: string,
  models: ReadonlySet<ModelResult>,
): boolean {
  const validates = [...models].some(({ runs }) => runs.some(({ clips }) => clips.validation > 0));
  return name === 'selection' && value === 'last' && !validates;
}

/** Whether the profile's own batch size overrides the switch in some run, so that neither of its values applies there. */
export function isBatchSizeOverruled(results: Results): boolean {
  return results.models.some((model) => model.runs.some((run) => overrulingBatchSize(model, run) !== null));
}

/** Values in force, each with the models that use it. */
export function usedValues(
  results: Results,
  { name, dataset, choices }: NamedSwitch,
): Map<string, Set<ModelResult>> {
  const used = new Map<string, Set<ModelResult>>();
  if (dataset !== undefined && dataset !== results.dataset) return used;
  for (const model of results.models) {
    for (const run of model.runs) {
      // Frames made with the default do not name it.
      const value =
        dataset !== undefined
          ? (Reflect.get(run.frames, name) ?? choices[0].value)
          : ((name === 'batch_size' ? overrulingBatchSize(model, run) : null) ?? run.compat[name]);
      if (typeof value === 'string') used.set(value, (used.get(value) ?? new Set()).add(model));
    }
  }
  return used;
}

/** The batch size, if the profile overrides the one in the model's file; otherwise null. */
function overrulingBatchSize({ train }: ModelResult, { compat, training }: RunResult): string | null {
  const { batchSize } = training;
  const overruled = compat.batch_size === 'paper' && batchSize !== train.batchSize;
  return overruled && typeof batchSize === 'number' ? String(batchSize) : null;
}
