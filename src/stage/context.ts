/** How far a stage is. `done` of `total`, both in `unit`; `note` is shown behind the figures. */
export interface Progress {
  readonly done: number;
  readonly total: number;
  readonly unit?: string;
  readonly note?: string;
}

export type MetricValue = number | string | boolean | null;

/** Everything that a stage is given. Paths are absolute; what it writes outside `outputs` and `resume` is lost or refused. */
export interface StageContext<Params = unknown> {
  /** The parts of the profile that `params:` names, after interpolation. */
  readonly params: Params;
  /** The matrix values of this instance, for instance `{ model: 'baseline', seed: 2020 }`. */
  readonly matrix: Readonly<Record<string, string | number | boolean>>;
  /** One path for each entry of `inputs:`, in its order; without the last, where that is optional and the profile leaves it out. */
  readonly inputs: readonly string[];
  /** One temporary path for each entry of `outputs:`, in its order; its parent folder exists, it does not. */
  readonly outputs: readonly string[];
  /** One folder for each entry of `resume:`; it exists, and holds what an interrupted run of the same fingerprint left. */
  readonly resume: readonly string[];
  /** Aborts on SIGINT and SIGTERM: save what `resume` needs and throw. */
  readonly signal: AbortSignal;
  progress(progress: Progress): void;
  /** Figures for the record of this stage; later values of the same name replace earlier ones. */
  metrics(values: Readonly<Record<string, MetricValue>>): void;
  /** A line that the person who started the run should see. */
  note(text: string): void;
  /** As `note`, for what is accepted but not right. */
  warn(text: string): void;
}
