import path from 'node:path';
import { isObject, type JsonObject } from '../../formats/fields.ts';
import type { PipelineStage } from '../data/results.ts';

/** What the report shows of a pipeline file that the runner has checked. */
export interface PipelineFile {
  readonly stages: Readonly<Record<string, StageEntry>>;
  readonly timeline?: string;
}

type InputEntry = string | { readonly path: string };

interface StageEntry {
  readonly run?: string;
  readonly when?: boolean | string;
  /** Each axis is a list, or names one. */
  readonly matrix?: Readonly<Record<string, string | readonly unknown[]>>;
  readonly inputs?: readonly InputEntry[] | Readonly<Record<string, InputEntry>>;
  readonly outputs?: readonly string[];
}

/**
 * The stages of a pipeline file and what they read from each other, for a drawing. A stage depends on another if one of its inputs is at,
 * above or below one of the other's outputs. Paths are compared as they are written, since only some settings are known here.
 *
 * @param settings what is known of the profile, for `when` and for the lists of a matrix
 * @returns in an order in which the stages can run
 */
export function readPipeline({ stages }: PipelineFile, settings: JsonObject): PipelineStage[] {
  const entries = Object.entries(stages).map(([name, { when = true, ...entry }]) => ({
    name,
    active: holds(when, settings),
    ...entry,
  }));
  const makerOf = (input: string): string | null =>
    entries.find(({ active, outputs = [] }) => active && outputs.some((output) => isRelated(output, input)))
      ?.name ?? null;
  const left = entries.map(({ name, active, matrix, inputs = [], outputs = [] }): PipelineStage => {
    const axes = Object.entries(matrix ?? {}).map(([key, axis]) => [key, valuesOf(axis, settings)] as const);
    const isKnown = matrix !== undefined && axes.every(([, values]) => values !== null);
    // The keys of a matrix that have the same value in all its runs.
    const constants = axes.flatMap(([key, values]) => (values?.length === 1 ? [[key, `${values[0]}`]] : []));
    return {
      name,
      active,
      instances: isKnown ? axes.reduce((product, [, values]) => product * (values?.length ?? 0), 1) : null,
      outputs: outputs.map((output) => fillIn(output, { ...settings, ...Object.fromEntries(constants) })),
      reads: Object.values(inputs).map((input: InputEntry) => {
        const written = typeof input === 'string' ? input : input.path;
        return { path: written, stage: active ? makerOf(written) : null };
      }),
    };
  });
  const sorted: PipelineStage[] = [];
  while (left.length > 0) {
    const isDone = (stage: string | null) => stage === null || sorted.some(({ name }) => name === stage);
    const next = left.findIndex(({ reads }) => reads.every(({ stage }) => isDone(stage)));
    sorted.push(...left.splice(Math.max(0, next), 1)); // the runner refuses circles
  }
  return sorted;
}

/**
 * Where the runner draws the timeline, seen from the report, as in `../timeline`: both places are in the pipeline file and nowhere else.
 *
 * @param module the stage module that writes the report; its first output is the report
 * @returns relative, with `/`; null if the file names no folder for it, or the report's own place is not known
 */
export function readTimelinePlace(
  { stages, timeline }: PipelineFile,
  module: string,
  settings: JsonObject,
): string | null {
  const stage = Object.values(stages).find(({ run = '' }) => path.posix.normalize(run) === module);
  const [output] = stage?.outputs ?? [];
  if (timeline === undefined || output === undefined) return null;
  const report = fillIn(output, settings);
  return report.includes('${') ? null : path.posix.relative(report, timeline);
}

/** `when`: `true`, `false`, `"${key}"` or `"!${key}"`; a key that the profile leaves out means no. */
function holds(condition: boolean | string, settings: JsonObject): boolean {
  if (typeof condition === 'boolean') return condition;
  const negated = condition.startsWith('!');
  return Boolean(settingAt(negated ? condition.slice(1) : condition, settings)) !== negated;
}

/** The values of an axis of a matrix; null if they are not known. */
function valuesOf(axis: string | readonly unknown[], settings: JsonObject): readonly unknown[] | null {
  const values: unknown = typeof axis === 'string' ? settingAt(axis, settings) : axis;
  return Array.isArray(values) ? values : null;
}

/** The setting that `${dataset.root}` names. */
function settingAt(reference: string, settings: JsonObject): unknown {
  const keys = /^\$\{([^}]+)\}$/.exec(reference)?.[1]?.split('.');
  return keys?.reduce<unknown>(
    (value, key) => (isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined),
    settings,
  );
}

/**
 * A path with the texts of the profile that are known. Only for outputs, which are always below artifacts/: inputs may be anywhere on
 * this machine, which is nobody's concern.
 */
function fillIn(written: string, settings: JsonObject): string {
  return written.replace(/\$\{[^}]+\}/g, (reference) => {
    const value = settingAt(reference, settings);
    return typeof value === 'string' ? value : reference;
  });
}

/** Whether two paths are the same, or one contains the other. */
function isRelated(one: string, other: string): boolean {
  const [short, long] = [one.split('/'), other.split('/')].sort((a, b) => a.length - b.length);
  return (short ?? []).every((segment, index) => segment === long?.[index]);
}
