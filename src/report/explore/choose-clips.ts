import type { CachedClip } from '../../results/clip-index.ts';

/** What there is to choose from. */
interface Candidates {
  readonly splits: Readonly<Record<'train' | 'test', readonly Pick<CachedClip, 'class'>[]>>;
  readonly classes: readonly string[];
  /** For each model, the class that it took each test clip for. */
  readonly answers: readonly (readonly number[])[];
  /** Rows of the training clips that networks learned from: without those held back for validation. */
  readonly trained: readonly number[];
}

/** Enough to look through. */
const MOST_DISAGREEMENTS = 12;
/** For each class. With those to look at, the held-out clips are enough to see an accuracy move. */
const TRAINING_CLIPS = 3;
const HELD_OUT_CLIPS = 2;

/**
 * The clips of the page: the first test clip of each class; the first others on which models answer differently; and, for training in the page,
 * some of each class that networks learned from, and test clips that are not shown.
 *
 * @returns with `row`s of train.npy or test.npy
 */
export function chooseClips({ splits, classes, answers, trained }: Candidates) {
  const test = [...splits.test.keys()];
  const examples = classes.flatMap((_, index) => test.find((row) => splits.test[row]?.class === index) ?? []);
  const disagreements = test
    .filter((row) => !examples.includes(row) && new Set(answers.map((each) => each[row])).size > 1)
    .slice(0, MOST_DISAGREEMENTS);
  const shown = new Set([...examples, ...disagreements]);
  const rest = test.filter((row) => !shown.has(row));
  /** Of each class, from all over the list, and of each class from other places in it: so from many people. */
  const spread = (split: 'train' | 'test', rows: readonly number[], count: number): number[] =>
    classes.flatMap((_, index) => {
      const own = rows.filter((row) => splits[split][row]?.class === index);
      if (own.length <= count) return own;
      return Array.from(
        { length: count },
        (_, at) => own[Math.floor(((at + index / classes.length) * own.length) / count)]!,
      );
    });
  const lists = [
    { split: 'test', role: 'example', rows: examples },
    { split: 'test', role: 'disagreement', rows: disagreements },
    { split: 'train', role: 'training', rows: spread('train', trained, TRAINING_CLIPS) },
    { split: 'test', role: 'held-out', rows: spread('test', rest, HELD_OUT_CLIPS) },
  ] as const;
  return lists.flatMap(({ split, role, rows }) =>
    rows.map((row) => {
      const given = split === 'train' ? [] : answers.map((each) => each[row]!);
      return { row, split, role, class: splits[split][row]!.class, answers: given };
    }),
  );
}
