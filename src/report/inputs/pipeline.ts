import path from 'node:path';
import { type Fields, isObject, type JsonObject } from '../../formats/fields.ts';
import type { PipelineStage } from '../data/results.ts';

/**
 * Reads the stages of a pipeline.yaml and what they read from each other, for a drawing. A stage depends on another if one of its inputs
 * is at, above or below one of the other's outputs. Paths are compared as they are written, since only some settings are known here.
 *
 * @param settings what is known of the profile, for `when` and for the lists of a matrix
 * @returns in an order in which the stages can run
 * @throws {ReproError} `report-input`, naming the file and the field; also if stages depend on each other in a circle
 */
export function readPipeline(fields: Fields, settings: JsonObject): PipelineStage[] {
  const stages = fields.object('stages');
  const entries = stages.keys().map((name) => readEntry(stages.object(name), name, settings));
  const makerOf = (path: string): string | null =>
    entries.find(({ active, outputs }) => active && outputs.some((output) => isRelated(output, path)))
      ?.name ?? null;
  const unsorted = entries.map(({ inputs, constants, ...entry }) => ({
    ...entry,
    outputs: entry.outputs.map((path) => fillIn(path, { ...settings, ...constants })),
    reads: inputs.map((path) => ({ path, stage: entry.active ? makerOf(path) : null })),
  }));
  return sortStages(unsorted) ?? fields.fail('stages', 'depend on each other in a circle');
}

/**
 * Where the runner draws the timeline, seen from the report, as in `../timeline`: both places are in pipeline.yaml and nowhere else.
 *
 * @param module the stage module that writes the report, as in pipeline.yaml; its first output is the report
 * @param settings what is known of the profile
 * @returns relative, with `/`; null if the pipeline names no folder for it, or the report's own place is not known
 */
export function readTimelinePlace(fields: Fields, module: string, settings: JsonObject): string | null {
  if (!fields.has('timeline')) return null;
  const stages = fields.object('stages');
  const name = stages.keys().find((one) => {
    const stage = stages.object(one);
    return stage.has('run') && path.posix.normalize(stage.text('run')) === module;
  });
  const [output] = name === undefined ? [] : stages.object(name).texts('outputs');
  if (output === undefined) return null;
  const report = fillIn(output, settings);
  return report.includes('${') ? null : path.posix.relative(report, fields.text('timeline'));
}

type Entry = Omit<PipelineStage, 'reads'> & {
  readonly inputs: readonly string[];
  /** The keys of its matrix that have the same value in all its runs. */
  readonly constants: JsonObject;
};

function readEntry(stage: Fields, name: string, settings: JsonObject): Entry {
  const inputs = stage.has('inputs') ? stage.list('inputs') : [];
  const matrix = stage.has('matrix') ? stage.raw('matrix') : null;
  return {
    name,
    active: !stage.has('when') || holds(stage.value('when'), settings),
    instances: matrix === null ? null : countInstances(matrix, settings),
    constants: matrix === null ? {} : findConstants(matrix, settings),
    inputs: inputs.map((input, index) => readPath(stage, input, index)),
    outputs: stage.has('outputs') ? stage.texts('outputs') : [],
  };
}

/** An input is a path, or an object with one. */
function readPath(stage: Fields, input: unknown, index: number): string {
  if (typeof input === 'string') return input;
  if (typeof input === 'object' && input !== null && 'path' in input && typeof input.path === 'string') {
    return input.path;
  }
  return stage.fail(`inputs[${index}]`, 'is neither a path nor an object with one');
}

/** `when`: `true`, `false`, `"${key}"` or `"!${key}"`; a key that the profile leaves out means no. */
function holds(condition: unknown, settings: JsonObject): boolean {
  if (typeof condition !== 'string') return condition === true;
  const negated = condition.startsWith('!');
  return Boolean(settingAt(negated ? condition.slice(1) : condition, settings)) !== negated;
}

/** How many combinations a matrix has; null if one of its lists is not known. */
function countInstances(matrix: JsonObject, settings: JsonObject): number | null {
  const lengths = Object.values(matrix).map((axis) => valuesOf(axis, settings)?.length ?? null);
  return lengths.reduce<number | null>(
    (product, length) => (product === null || length === null ? null : product * length),
    1,
  );
}

/** The keys of a matrix whose list has one value, as text. */
function findConstants(matrix: JsonObject, settings: JsonObject): JsonObject {
  const single = Object.entries(matrix).flatMap(([key, axis]) => {
    const [value, ...more] = valuesOf(axis, settings) ?? [];
    const isText = typeof value === 'string' || typeof value === 'number';
    return isText && more.length === 0 ? [[key, String(value)] as const] : [];
  });
  return Object.fromEntries(single);
}

/** An axis of a matrix is a list, or names one; null if that is not known. */
function valuesOf(axis: unknown, settings: JsonObject): readonly unknown[] | null {
  const values: unknown = typeof axis === 'string' ? settingAt(axis, settings) : axis;
  return Array.isArray(values) ? values : null;
}

/** The setting that `${dataset.root}` names. */
function settingAt(reference: string, settings: JsonObject): unknown {
  const path = /^\$\{([^}]+)\}$/.exec(reference)?.[1]?.split('.') ?? [];
  let value: unknown = path.length === 0 ? undefined : settings;
  for (const key of path) {
    value = isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
  }
  return value;
}

/**
 * A path with the texts of the profile that are known. Only for outputs, which are always below artifacts/: inputs may be anywhere on
 * this machine, which is nobody's concern.
 */
function fillIn(path: string, settings: JsonObject): string {
  return path.replace(/\$\{[^}]+\}/g, (reference) => {
    const value = settingAt(reference, settings);
    return typeof value === 'string' ? value : reference;
  });
}

/** Whether two paths are the same, or one contains the other. */
function isRelated(one: string, other: string): boolean {
  const [short, long] = [one.split('/'), other.split('/')].sort((a, b) => a.length - b.length);
  return (short ?? []).every((segment, index) => segment === long?.[index]);
}

/** Each stage after those that it reads from, otherwise in the order of the file; null if they form a circle. */
function sortStages(stages: readonly PipelineStage[]): PipelineStage[] | null {
  const sorted: PipelineStage[] = [];
  const done = new Set<string | null>([null]);
  const left = [...stages];
  while (left.length > 0) {
    const at = left.findIndex(({ reads }) => reads.every(({ stage }) => done.has(stage)));
    const [next] = at < 0 ? [] : left.splice(at, 1);
    if (next === undefined) return null;
    done.add(next.name);
    sorted.push(next);
  }
  return sorted;
}
