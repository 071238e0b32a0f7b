import type { Json, JsonPath } from '../../base/schema/json.ts';
import type { Place, SourcePosition } from '../../base/schema/problems.ts';

export type MatrixValue = string | number | boolean;

export interface InputPath {
  /** Relative to the project, with `/`, without `.` or `..`; or, for external data only, absolute. */
  readonly path: string;
  /** Data supplied by the user: it may lie outside the project, and the stage explains its absence. */
  readonly external: boolean;
  /** In a map under `inputs:`, by which the stage asks for it; several may share one, of an entry with a reference to a list. */
  readonly name?: string;
  readonly at: SourcePosition;
}

export type StageCommand =
  | { readonly kind: 'module'; readonly path: string }
  | { readonly kind: 'command'; readonly argv: readonly string[] };

export interface Resources {
  /** Cores; `share`: as many as there are for each of the instances that share them at the time. */
  readonly cpu: number | 'share';
  readonly memoryBytes: number;
  readonly gpu: number;
  readonly timeSeconds: number | null;
}

/** Facts that the runner itself knows; the caller supplies those of the machine. */
export const runFactNames = ['code', 'configuration'] as const;

export interface Tool {
  /** What prints the version: a program and its arguments. */
  readonly command: readonly string[];
  readonly at: SourcePosition;
}

/** One thing to run: a stage, or one combination of a matrix stage's values. */
export interface StageInstance {
  /** `verify`, or `train@baseline,2020` with the matrix values in file order. */
  readonly id: string;
  readonly stage: string;
  readonly matrix: Readonly<Record<string, MatrixValue>>;
  readonly command: StageCommand;
  readonly params: { readonly [key: string]: Json };
  /** Keys of `params` that the pipeline lists under `machine:`: they are in no fingerprint. */
  readonly machineParams?: readonly (readonly string[])[];
  readonly inputs: readonly InputPath[];
  /** Relative to the project, with `/`. */
  readonly outputs: readonly string[];
  readonly resume: readonly string[];
  /** Environment variables that the stage sees and that make it stale, without those that its facts cover. */
  readonly variables: readonly string[];
  /** Named facts about this machine that can change the stage's numbers (`engine`); the caller supplies them. */
  readonly facts: readonly string[];
  /** Programs that it calls, whose versions make it stale; default: none. */
  readonly tools?: readonly Tool[];
  readonly resources: Resources;
  /** Whether its process may touch only what it declares; a command is never limited. */
  readonly hermetic: boolean;
  /** `executor: local`: it runs on this machine, whatever executor is chosen for the others. */
  readonly staysLocal?: boolean;
  /** Whether `resources.memory` is the stage's own, and not the runner's default. */
  readonly hasOwnMemory?: boolean;
  readonly at: SourcePosition;
  readonly commandAt?: SourcePosition;
  readonly timeAt?: SourcePosition;
}

/** A plan in which `--set` changes results of the profile; settings under `machine:` change none. */
export interface Trial {
  /** The overrides that change something, as given: `train.epochs=3`. */
  readonly overrides: readonly string[];
  /** Those that reach an instance, directly or through what it reads; no entry where none does. */
  readonly reaching: ReadonlyMap<string, readonly string[]>;
}

/** A resolved pipeline file, profile and overrides: what to run and in which order. */
export interface Plan {
  readonly projectRoot: string;
  readonly profile: string;
  readonly settings: { readonly [key: string]: Json };
  readonly places: { place(path: JsonPath): Place };
  /** In topological order; ties in file order. */
  readonly instances: ReadonlyMap<string, StageInstance>;
  /** For each instance, the ids it reads from, in plan order. */
  readonly dependencies: ReadonlyMap<string, readonly string[]>;
  readonly inactive: readonly string[];
  readonly trial?: Trial;
  readonly remote?: RemoteSettings;
}

/** Where a remote cache is, as given in pipeline.yaml or by `--remote`. */
export interface RemoteSettings {
  /** `s3://bucket/prefix`, or a path: absolute, relative to the project, or beginning with `~/`. */
  readonly address: string;
  /** Of S3-compatible storage elsewhere than at Amazon. */
  readonly endpoint?: string | undefined;
  readonly region?: string | undefined;
}
