import { csvFormatRows } from 'd3-dsv';
import type { PickleValue } from '../formats/torch-pt.ts';

/** One point of a curve, as the original hands it to TensorBoard. */
export interface CurvePoint {
  readonly tag: string;
  readonly step: number;
  readonly value: number;
}

/** The thesis' runs have some 25,000. */
const MOST_POINTS = 1_000_000;
const MOST_TAG_LENGTH = 100;

/**
 * The points in `log_data_list`: a list for each epoch of `(tag, value, step)`. What is not of that form is left out.
 *
 * @returns the points in their order, and how many were left out (of a log without end, at least)
 */
export function readCurves(log: PickleValue | undefined): {
  readonly points: readonly CurvePoint[];
  readonly left: number;
} {
  const points: CurvePoint[] = [];
  let left = 0;
  for (const epoch of Array.isArray(log) ? log : []) {
    for (const item of Array.isArray(epoch) ? epoch : []) {
      const [tag, value, step] = Array.isArray(item) ? item : [];
      const isPoint = typeof tag === 'string' && typeof value === 'number' && typeof step === 'number';
      if (isPoint && tag.length <= MOST_TAG_LENGTH) points.push({ tag, step, value });
      else left++;
      // A small file could repeat one list a million times.
      if (points.length + left >= MOST_POINTS) return { points, left: left + 1 };
    }
  }
  return { points, left };
}

/** curves.csv: `tag,step,value`, the form in which a report lays the authors' logs over ours (`reference.logs`). */
export function formatCurves(points: readonly CurvePoint[]): string {
  const rows = points.map(({ tag, step, value }) => [tag, String(step), String(value)]);
  return `${csvFormatRows([['tag', 'step', 'value'], ...rows])}\n`;
}
