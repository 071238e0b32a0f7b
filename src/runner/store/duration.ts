import type { RunRecord } from './records.ts';

/** How long it takes to make what a record is about, in seconds: with all executions that led to it. */
export function durationOf({ seconds, totalSeconds }: Pick<RunRecord, 'seconds' | 'totalSeconds'>): number {
  return totalSeconds ?? seconds;
}
