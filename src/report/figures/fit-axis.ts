import { formatPercent } from '../format.ts';
import type { EpochLine, EpochPanelOptions } from './epoch-panel.ts';
import { drawnExtent, onlyAbove, settledLow } from './epoch-series.ts';

/** The vertical axis that suits the smallest and largest value to be drawn. */
export type ChooseAxis = (
  lowest: number,
  highest: number,
) => Pick<EpochPanelOptions, 'domain' | 'format' | 'level' | 'axisTitle'>;

interface Fitted {
  /** As given, without what lies below the axis. */
  readonly panels: readonly (readonly EpochLine[])[];
  readonly axis: ReturnType<ChooseAxis>;
  /** For the caption, if something was left out. */
  readonly notes: readonly string[];
}

/**
 * Gives all panels of a figure the same axis.
 *
 * @param settled leaves out the first steps of a long training, of shares, so that the axis can begin where the values settle: the
 * differences between models are a tenth of what they have in common
 */
export function fitAxis(
  panels: readonly (readonly EpochLine[])[],
  choose: ChooseAxis,
  settled: { readonly epochs: readonly [number, number] } | null,
): Fitted {
  const series = panels.flat().map((line) => line.series);
  const [lowest, highest] = drawnExtent(series) ?? [0, 1];
  if (settled === null) return { panels, axis: choose(lowest, highest), notes: [] };
  const axis = choose(settledLow(series, settled.epochs) ?? lowest, highest);
  const [low] = axis.domain;
  if (lowest >= low) return { panels, axis, notes: [] };
  return {
    panels: panels.map((lines) => lines.map((line) => ({ ...line, series: onlyAbove(line.series, low) }))),
    axis,
    notes: [`The axis begins at ${formatPercent(low)}: values of the first epochs, below it, are left out.`],
  };
}
