import type { StaleReason } from '../freshness/differences.ts';
import type { MetricValue, Progress } from '../stage/define-stage.ts';

/** Everything that happens in a run, in order; the terminal views and `--json` are built from it. */
export type RunEvent =
  | { readonly kind: 'run-started'; readonly ids: readonly string[]; readonly jobs: number }
  | {
      readonly kind: 'cached';
      readonly id: string;
      readonly restored: readonly string[];
      readonly removed: readonly string[];
      /** Whether this only reports what a run would do. */
      readonly isRehearsal: boolean;
      /** What its outputs were made with: the metrics, and how long it took. */
      readonly made?: {
        readonly metrics: Readonly<Record<string, MetricValue>>;
        readonly totalSeconds: number;
      };
    }
  | {
      readonly kind: 'would-run';
      readonly id: string;
      readonly reasons: readonly StaleReason[];
      readonly staysHere?: boolean;
    }
  | {
      readonly kind: 'started';
      readonly id: string;
      readonly reasons: readonly StaleReason[];
      readonly logFile: string;
    }
  | {
      /** What a cluster says about the job of an instance, whenever that changes. */
      readonly kind: 'job';
      readonly id: string;
      readonly job: string;
      /** In the cluster's own words, such as `PENDING`. */
      readonly state: string;
      /** Whether it is on a node; otherwise it waits. */
      readonly isRunning: boolean;
      readonly reason: string | null;
      readonly node: string | null;
      /** By this machine's clock; null if it has not. */
      readonly startedMs: number | null;
    }
  | {
      readonly kind: 'progress';
      readonly id: string;
      readonly progress: Progress;
      /** When it was reported, by the clock of the machine that did; default: now, by this one's. */
      readonly atMs?: number;
    }
  | { readonly kind: 'note'; readonly id: string; readonly level: 'note' | 'warning'; readonly text: string }
  | { readonly kind: 'metrics'; readonly id: string; readonly values: Readonly<Record<string, MetricValue>> }
  | {
      readonly kind: 'finished';
      readonly id: string;
      readonly seconds: number;
      /** With the executions that it went on from, if there were some. */
      readonly totalSeconds?: number;
      readonly metrics: Readonly<Record<string, MetricValue>>;
    }
  | {
      readonly kind: 'failed';
      readonly id: string;
      readonly seconds: number;
      readonly code: string;
      readonly text: string;
      readonly logFile: string;
      readonly logTail: readonly string[];
    }
  | { readonly kind: 'blocked'; readonly id: string; readonly by: readonly string[] }
  | {
      readonly kind: 'interrupted';
      readonly id: string;
      /** When it last saved what it resumes from, before its end; 0 if that was after it was asked to stop; null if there is nothing. */
      readonly savedSecondsAgo: number | null;
    }
  | {
      readonly kind: 'run-finished';
      readonly outcome: 'ok' | 'failed' | 'interrupted';
      readonly seconds: number;
    };
