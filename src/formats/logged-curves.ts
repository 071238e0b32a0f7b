import { csvFormatRows } from 'd3-dsv';
import type { PickleValue } from './torch-pt.ts';

/** One point of a curve, as the original passes it to TensorBoard. */
export interface CurvePoint {
  readonly tag: string;
  readonly step: number;
  readonly value: number;
}

/** The thesis' runs have about 25,000. */
const MOST_POINTS = 1_000_000;
const MOST_TAG_LENGTH = 100;

/**
 * The points in `log_data_list`: for each epoch, a list of `(tag, value, step)`. Anything else is skipped.
 *
 * @returns the points in order, and how many entries were skipped (at least, if the log is too long)
 */
export function readCurves(log: PickleValue | undefined): {
  readonly points: readonly CurvePoint[];
  readonly skipped: number;
} {
  const points: CurvePoint[] = [];
  let skipped = 0;
  for (const epoch of Array.isArray(log) ? log : []) {
    for (const item of Array.isArray(epoch) ? epoch : []) {
      const [tag, value, step] = Array.isArray(item) ? item : [];
      const isPoint = typeof tag === 'string' && typeof value === 'number' && typeof step === 'number';
      if (isPoint && tag.length <= MOST_TAG_LENGTH) points.push({ tag, step, value });
      else skipped++;
      // A small file could repeat one list a million times.
      if (points.length + skipped >= MOST_POINTS) return { points, skipped: skipped + 1 };
    }
  }
  return { points, skipped };
}

/** curves.csv: `tag,step,value`, the format that `reference.logs` reads to overlay the authors' logs on a report's curves. */
export function formatCurves(points: readonly CurvePoint[]): string {
  const rows = points.map(({ tag, step, value }) => [tag, String(step), String(value)]);
  return `${csvFormatRows([['tag', 'step', 'value'], ...rows])}\n`;
}
