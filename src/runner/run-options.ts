import type { Elsewhere } from './elsewhere.ts';
import type { RunEvent } from './events.ts';
import type { Facts } from './freshness/fingerprint.ts';
import type { Plan } from './plan/plan.ts';
import type { MachineResources } from './run/machine.ts';
import type { Session } from './session.ts';
import type { FetchStage } from './share/fetch-stage.ts';

export interface RunOptions {
  readonly plan: Plan;
  /** Ids. Outputs of instances not listed are taken from disk as they are. */
  readonly selected: ReadonlySet<string>;
  /** Maximum number of stages at once. */
  readonly jobs: number;
  /** After a failure no more stages start; by default, all that do not depend on it still run. */
  readonly failFast?: boolean;
  /** The GPUs that stages may use, as `CUDA_VISIBLE_DEVICES` takes them; default: all that are found. */
  readonly gpus?: readonly string[];
  /** Runs all, or these, even if nothing changed. */
  readonly force?: ReadonlySet<string> | boolean;
  /** Only reports what would run. */
  readonly dryRun?: boolean;
  /** Watches, with strace, what stages touch, and reports what they do not declare. */
  readonly trace?: boolean;
  readonly facts: Facts;
  /** Aborting asks the running stages to stop and starts no more. */
  readonly signal: AbortSignal;
  /** Aborting kills the running stages at once. */
  readonly killSignal?: AbortSignal;
  readonly onEvent: (event: RunEvent) => void;
  /** Where to look for results before computing them. */
  readonly fetchStage?: FetchStage | undefined;
  /** Runs some of the instances on other machines. */
  readonly elsewhere?: Elsewhere | undefined;
  /** Changes what is decided by, such as the facts of this machine where it is another that computes. */
  readonly adaptSession?: ((session: Session) => Session) | undefined;
  /** Default: the project's `artifacts/.cache`. */
  readonly cacheRoot?: string;
  /** Default: this process's. */
  readonly environment?: NodeJS.ProcessEnv;
  /** Default: the compiled `dist/stage/host.js`. */
  readonly hostFile?: string;
  /** How long an interrupted stage has to save its work before it is killed; default 10. */
  readonly graceSeconds?: number;
  /** Default: this machine's. */
  readonly machine?: MachineResources;
}
