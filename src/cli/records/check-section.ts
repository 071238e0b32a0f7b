import type { CheckedGroup } from './check-group.ts';

/** One kind of check of one profile: for programs, and for people. */
export interface CheckedSection {
  /** An entry of `checks` in the document of --json. */
  readonly document: {
    readonly kind: 'records' | 'results' | 'claims' | 'baseline' | 'error';
    readonly profile: string;
    readonly [key: string]: unknown;
  };
  readonly group: CheckedGroup;
}
