/** One thing that `repro check` looked at, in whatever form its result is shown. */
export interface CheckedItem {
  readonly name: string;
  /** `noted`: nothing that fails, but to know; `skipped`: there was nothing to judge; `error`: it could not be judged. */
  readonly state: 'ok' | 'failed' | 'unsure' | 'noted' | 'skipped' | 'error';
  /** The state in the words of its kind: `no record`. */
  readonly word: string;
  readonly text: string;
}

/** Things that belong together, and what they say as a whole. */
export interface CheckedGroup {
  /** `records of profile full` */
  readonly title: string;
  /** All of them, for programs. */
  readonly items: readonly CheckedItem[];
  /** For people: some may stand for several. */
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
    readonly kind: 'records' | 'results' | 'claims' | 'baseline' | 'error';
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
