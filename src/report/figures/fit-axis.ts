import { formatShare } from '../data/format.ts';
import type { EpochLine, ValueAxis } from './epoch-panel.ts';
import { drawnExtent } from './epoch-series.ts';

/** The vertical axis that suits the smallest and largest value to be drawn. */
export type ChooseAxis = (lowest: number, highest: number) => ValueAxis;

/**
 * Gives all panels of a figure the same axis.
 *
 * @param settled first and last epoch of a long training: cuts off its first steps, so that the axis can begin where the values settle (the
 * smallest after the first tenth of the epochs), because the differences between models are a tenth of what they have in common
 * @returns with notes for the caption, if something is cut off or an axis of shares does not begin at 0, so that lengths cannot be compared
 */
export function fitAxis(
  lines: readonly EpochLine[],
  choose: ChooseAxis,
  settled: readonly [number, number] | null,
): { readonly axis: ValueAxis; readonly notes: readonly string[] } {
  const series = lines.map((line) => line.series);
  const [lowest, highest] = drawnExtent(series) ?? [0, 1];
  const from = settled === null ? 0 : settled[0] + (settled[1] - settled[0]) / 10;
  const axis = choose(drawnExtent(series, from)?.[0] ?? lowest, highest);
  const begin = `The axis begins at ${formatShare(axis.domain[0])}`;
  if (settled !== null && lowest < axis.domain[0]) {
    return {
      axis: { ...axis, clip: true },
      notes: [`${begin}: lower values in the first epochs are cut off.`],
    };
  }
  return { axis, notes: axis.format === 'percent' && axis.domain[0] > 0 ? [`${begin}.`] : [] };
}
