import { csvFormatRows } from 'd3-dsv';
import type { PickleValue } from '../formats/torch-pt.ts';

/** One point of a curve, as the original hands it to TensorBoard. */
export interface CurvePoint {
  readonly tag: string;
  readonly step: number;
  readonly value: number;
}

/**
 * The points in `log_data_list`: a list for each epoch of `(tag, value, step)`. What is not of that form is left out.
 *
 * @returns the points in their order, and how many were left out
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
      if (typeof tag === 'string' && typeof value === 'number' && typeof step === 'number') {
        points.push({ tag, step, value });
      } else left++;
    }
  }
  return { points, left };
}

/** curves.csv: `tag,step,value`, the form in which a report lays the authors' logs over ours (`reference.logs`). */
export function formatCurves(points: readonly CurvePoint[]): string {
  const rows = points.map(({ tag, step, value }) => [tag, String(step), String(value)]);
  return `${csvFormatRows([['tag', 'step', 'value'], ...rows])}\n`;
}
