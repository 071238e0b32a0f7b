import { formatCsv } from '../formats/csv.ts';
import type { CachedClip } from './clip-index.ts';
import { parseTable, type ResultFile, refuse, toSevenDigits } from './result-file.ts';

const splits = ['test', 'validation'] as const;

/** A network's outputs for some clips of one split. */
export interface Predictions {
  readonly split: (typeof splits)[number];
  /** The row of each clip in its `.npy` file; with folds of users, in train.npy and then test.npy. */
  readonly rows: Int32Array;
  /** All clips there. */
  readonly clips: readonly Pick<CachedClip, 'recording' | 'user' | 'light' | 'class'>[];
  /** Firing rates, [rows, classes]. */
  readonly rates: Float32Array;
  /** The class that each clip was taken for. */
  readonly predicted: Int32Array;
}

const columns = ['split', 'clip', 'recording', 'user', 'light', 'class', 'predicted'];

/** predictions.csv: `split,clip,recording,user,light,class,predicted,rate_0,…`; classes are 0-based. */
export function formatPredictions(classes: number, parts: readonly Predictions[]): string {
  const rates = Array.from({ length: classes }, (_, c) => `rate_${c}`);
  const lines = parts.flatMap((part) => {
    return [...part.rows].map((row, i) => {
      const clip = part.clips[row];
      if (clip === undefined) throw new RangeError(`no clip ${row} in split ${part.split}`);
      return [
        part.split,
        row,
        clip.recording,
        clip.user ?? '',
        clip.light ?? '',
        clip.class,
        part.predicted[i]!,
        ...Array.from(part.rates.subarray(i * classes, (i + 1) * classes), toSevenDigits),
      ];
    });
  });
  return formatCsv([[...columns, ...rates], ...lines]);
}

/** The answer to a test clip. */
export interface TestAnswer {
  /** Its row, as in {@link Predictions}. */
  readonly clip: number;
  readonly recording: string;
  /** Number of the person; null if the data set has none. */
  readonly user: number | null;
  /** From 0, as is the class that the clip was taken for. */
  readonly class: number;
  readonly predicted: number;
}

/**
 * The answers to the test clips.
 *
 * @throws {ReproError} `results-invalid` naming the line and the column; also if the clips are not in order, each once
 */
export function readTestAnswers(from: ResultFile): TestAnswer[] {
  const { rows } = parseTable(from, columns);
  let least = 0;
  const answers = rows
    .filter((row) => row.text('split') === 'test')
    .map((row) => {
      const clip = row.count('clip');
      if (clip < least) row.refuse('clip', `expected test clip ${least} or a later one, found ${clip}`);
      least = clip + 1;
      return {
        clip,
        recording: row.text('recording'),
        user: row.text('user') === '' ? null : row.count('user'),
        class: row.count('class'),
        predicted: row.count('predicted'),
      };
    });
  return answers.length === 0 ? refuse(from, 'has no test clips') : answers;
}
