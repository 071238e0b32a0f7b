import type { Engine } from '../engines/engine.ts';
import type { Comparison } from './compare.ts';
import type { GivenCase } from './given-case.ts';

/** What the suite can do with cases of one kind. */
export interface CaseKind {
  /** The keys that a description may have, besides `kind` and `note`; any other is a failure. */
  readonly keys: readonly string[];
  /**
   * Computes what the case expects and holds it against its tensors, row by row; what was compared before an error counts.
   *
   * @throws if the case cannot be run at all: a tensor is missing, a shape does not fit
   */
  compare(given: GivenCase, engine: Engine): AsyncIterable<Comparison> | Iterable<Comparison>;
}
