/** One thing that `repro check` checked, for all formats. */
export interface CheckedItem {
  readonly name: string;
  /** `noted`: worth knowing, but no failure; `skipped`: there was nothing to judge; `error`: it could not be judged. */
  readonly state: 'ok' | 'failed' | 'unsure' | 'noted' | 'skipped' | 'error';
  /** The state in words: `no record`. */
  readonly word: string;
  readonly text: string;
}

/** Items that belong together, with a summary. */
export interface CheckedGroup {
  /** `records of profile full` */
  readonly title: string;
  /** All of them, for programs. */
  readonly items: readonly CheckedItem[];
  /** For people: one row may stand for several items. */
  readonly rows: readonly CheckedItem[];
  readonly isGood: boolean;
  /** A sentence. */
  readonly summary: string;
  /** What to do if it is not good; lines. */
  readonly remedy: readonly string[];
}

/** One kind of check of one profile: for programs, and for people. */
export interface CheckedSection {
  /** An entry of `checks` in the document of --json. */
  readonly document: {
    readonly kind: 'records' | 'configuration' | 'results' | 'claims' | 'baseline' | 'error';
    readonly profile: string;
    readonly [key: string]: unknown;
  };
  readonly group: CheckedGroup;
}

/** A bad group of one kind of item. */
export function badGroup(
  title: string,
  items: readonly CheckedItem[],
  said: Pick<CheckedGroup, 'summary' | 'remedy'>,
): CheckedGroup {
  return { title, items, rows: items, isGood: false, ...said };
}
