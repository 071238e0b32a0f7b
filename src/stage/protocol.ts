import type { MetricValue, Progress } from './context.ts';

/** What the runner hands to a stage's process, as one JSON line on the control channel. */
export interface StageTask {
  readonly kind: 'module' | 'command';
  /** `module`: the bundled stage module's absolute path. `command`: absent. */
  readonly module?: string;
  /** `command`: program and arguments. */
  readonly argv?: readonly string[];
  readonly id: string;
  readonly params: unknown;
  readonly matrix: Readonly<Record<string, string | number | boolean>>;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly resume: readonly string[];
}

/** What a stage's process says to the runner: one JSON object a line, on file descriptor 3. */
export type StageMessage =
  | { readonly type: 'progress'; readonly progress: Progress }
  | { readonly type: 'metrics'; readonly values: Readonly<Record<string, MetricValue>> }
  | { readonly type: 'note'; readonly level: 'note' | 'warning'; readonly text: string }
  | { readonly type: 'failed'; readonly code: string; readonly text: string }
  | { readonly type: 'done' };
