import type { Engine } from '../engines/engine.ts';
import type { Comparison } from './compare.ts';
import type { GivenCase } from './given-case.ts';

/** How to compare cases of one kind. */
export interface CaseKind {
  /** The keys allowed in a description, besides `kind` and `note`; any other is a failure. */
  readonly keys: readonly string[];
  /**
   * Computes what the case describes and compares it with the folder's tensors, row by row; rows before an error count.
   *
   * @throws if the case cannot be run: an input is missing or has the wrong shape
   */
  compare(given: GivenCase, engine: Engine): AsyncIterable<Comparison> | Iterable<Comparison>;
}
