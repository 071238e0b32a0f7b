import type { RunFacts } from '../baseline.ts';

/** A run, and the one of the same model and seed in the baseline. */
export interface Pair {
  readonly before: RunFacts;
  readonly now: RunFacts;
}
