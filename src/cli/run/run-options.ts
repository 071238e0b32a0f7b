import type { PipelineOptions } from '../../apps/load-plan.ts';

/** The options of `repro run`. */
export interface RunOptions extends PipelineOptions {
  readonly from?: string;
  readonly until?: string;
  readonly force?: boolean;
  readonly dryRun?: boolean;
  readonly jobs?: number;
  readonly failFast?: boolean;
  readonly gpus?: readonly string[];
  readonly pull?: boolean;
  readonly remote?: string;
  readonly trust?: string;
  readonly executor?: 'local' | 'slurm';
  readonly detach?: boolean;
}
