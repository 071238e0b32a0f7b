/** One thing that `repro check` looked at, in whatever form its result is shown. */
export interface CheckedItem {
  readonly name: string;
  /** `skipped`: there was nothing to judge. */
  readonly state: 'ok' | 'failed' | 'unsure' | 'skipped';
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
