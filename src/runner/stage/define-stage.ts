import { ReproError } from '../../base/errors.ts';

/** A stage of the pipeline: the default export of `stages/<name>.ts`. */
export interface Stage<Params = unknown> {
  /** One sentence for `repro graph` and the first line of the log. */
  readonly summary: string;
  /** Reads `context.inputs`, writes every one of `context.outputs`, and throws on any failure. */
  run(context: StageContext<Params>): Promise<void>;
}

/** Gives a stage module its type: `export default defineStage<Params>({ summary, run })`. */
export function defineStage<Params>(stage: Stage<Params>): Stage<Params> {
  return stage;
}

/** A stage's progress: `done` of `total`, both in `unit`; `note` is shown after the figures. */
export interface Progress {
  readonly done: number;
  readonly total: number;
  readonly unit?: string;
  readonly note?: string;
}

export type MetricValue = number | string | boolean | null;

/** Everything a stage is given. Paths are absolute; anything written outside `outputs` and `resume` is lost or rejected. */
export interface StageContext<Params = unknown> {
  /** The parts of the profile named in `params:`, after interpolation. */
  readonly params: Params;
  /** This instance's matrix values, such as `{ model: 'baseline', seed: 2020 }`. */
  readonly matrix: Readonly<Record<string, string | number | boolean>>;
  /** The value of each entry of `facts:`, and the version of each of `tools:`, by name. */
  readonly facts: Readonly<Record<string, string>>;
  /**
   * The path of each entry of `inputs:`, by its name; in a list, by its position. A list of paths for an entry that names a list; nothing
   * for one that the profile leaves out.
   */
  readonly inputs: StageInputs;
  /** One temporary path per entry of `outputs:`, in order; its parent folder exists, it does not. */
  readonly outputs: readonly string[];
  /** One folder per entry of `resume:`; it exists and contains what an interrupted run of the same fingerprint left. */
  readonly resume: readonly string[];
  /** The cores that the runner has set aside for it, `resources.cpu`. Results must not depend on their number. */
  readonly cpus: number;
  /** The file that this stage runs from, for threads of its own; absent if it was not bundled. */
  readonly module?: string;
  /** Aborts on SIGINT and SIGTERM: save what is needed to resume, then throw. */
  readonly signal: AbortSignal;
  progress(progress: Progress): void;
  /** Figures for this stage's record; later values replace earlier ones of the same name. */
  metrics(values: Readonly<Record<string, MetricValue>>): void;
  /** A line shown to the user. */
  note(text: string): void;
  /** Like `note`, for something accepted but not right. */
  warn(text: string): void;
}

/** Of a map under `inputs:`; of a list. */
export type StageInputs = Readonly<Record<string, string | readonly string[]>> | readonly string[];

/**
 * The path of an input; of one that names a list, the first.
 *
 * @param name as in pipeline.yaml
 * @throws {ReproError} `stage-paths` if pipeline.yaml has none of this name
 */
export function requireInput(inputs: StageInputs, name: string): string {
  const found = Object.entries(inputs).find(([key]) => key === name)?.[1];
  const [first] = [found].flat();
  if (first !== undefined) return first;
  throw new ReproError('stage-paths', `There is no input "${name}".`, {
    fix: `Name it under \`inputs:\` of this stage in pipeline.yaml, which has ${Object.keys(inputs).join(', ')}.`,
  });
}

/**
 * One path of a stage's `outputs`.
 *
 * @param what what the path is for, such as `frames`
 * @throws {ReproError} `stage-paths` if pipeline.yaml lists fewer paths
 */
export function requireOutput(paths: readonly string[], index: number, what: string): string {
  const path = paths[index];
  if (path !== undefined) return path;
  const text = `Path ${index + 1} (${what}) is missing: pipeline.yaml lists ${paths.length}.`;
  throw new ReproError('stage-paths', text, { fix: 'Correct `outputs:` of this stage in pipeline.yaml.' });
}
