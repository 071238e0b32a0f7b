import type { Comparison } from '../../comparison/compare.ts';
import type { RunResults } from '../../comparison/run-results.ts';
import type { OriginDifference } from './origins.ts';
import type { RecordedNetwork } from './recorded-networks.ts';

/** Everything that is shown. */
export interface ComparedRuns {
  /** As given. */
  readonly a: string;
  readonly b: string;
  readonly comparison: Comparison;
  /** In what the pairs' stages differ, and by which pairs: those with the same differences together. */
  readonly origins: readonly {
    readonly pairs: readonly string[];
    readonly differences: readonly OriginDifference[];
  }[];
  readonly networkOf: (results: RunResults) => RecordedNetwork;
}
