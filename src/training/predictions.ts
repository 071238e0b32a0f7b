import { csvFormatRows } from 'd3-dsv';
import type { CachedClip } from '../formats/frame-cache.ts';

/** A network's outputs for some clips of one split. */
export interface Predictions {
  readonly split: string;
  /** The row of each clip in its `.npy` file. */
  readonly rows: Int32Array;
  /** All clips in that file. */
  readonly clips: readonly Pick<CachedClip, 'recording' | 'user' | 'light' | 'class'>[];
  /** Firing rates, [rows, classes]. */
  readonly rates: Float32Array;
  /** The class that each clip was taken for. */
  readonly predicted: Int32Array;
}

/** predictions.csv: `split,clip,recording,user,light,class,predicted,rate_0,…`; classes are 0-based. */
export function formatPredictions(classes: number, parts: readonly Predictions[]): string {
  const header = ['split', 'clip', 'recording', 'user', 'light', 'class', 'predicted'];
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
        ...shorten(part.rates.subarray(i * classes, (i + 1) * classes)),
      ].map(String);
    });
  });
  return `${csvFormatRows([[...header, ...rates], ...lines])}\n`;
}

/** Single-precision numbers have seven digits; more would be conversion noise. */
function shorten(rates: Float32Array): number[] {
  return Array.from(rates, (rate) => Number(rate.toPrecision(7)));
}
