import { formatPercent } from '../format.ts';
import type { EpochLine, EpochPanelOptions } from './epoch-panel.ts';
import { drawnExtent, settledLow } from './epoch-series.ts';

/** The vertical axis that suits the smallest and largest value to be drawn. */
export type ChooseAxis = (
  lowest: number,
  highest: number,
) => Pick<EpochPanelOptions, 'domain' | 'format' | 'level' | 'axisTitle'>;

interface Fitted {
  readonly axis: ReturnType<ChooseAxis>;
  /** Whether something lies below the axis. */
  readonly clip: boolean;
  /** For the caption, if something is cut off or an axis of shares does not begin at 0. */
  readonly notes: readonly string[];
}

/**
 * Gives all panels of a figure the same axis.
 *
 * @param settled cuts off the first steps of a long training, of shares, so that the axis can begin where the values settle: the
 * differences between models are a tenth of what they have in common
 */
export function fitAxis(
  panels: readonly (readonly EpochLine[])[],
  choose: ChooseAxis,
  settled: { readonly epochs: readonly [number, number] } | null,
): Fitted {
  const series = panels.flat().map((line) => line.series);
  const [lowest, highest] = drawnExtent(series) ?? [0, 1];
  if (settled === null) return whole(choose(lowest, highest));
  const axis = choose(settledLow(series, settled.epochs) ?? lowest, highest);
  const [low] = axis.domain;
  if (lowest >= low) return whole(axis);
  return {
    axis,
    clip: true,
    notes: [`The axis begins at ${formatPercent(low)}: values below it, of the first epochs, are cut off.`],
  };
}

/** With everything in view. Lengths on an axis of shares that begins elsewhere than at 0 cannot be compared, which must be said. */
function whole(axis: Fitted['axis']): Fitted {
  const [low] = axis.domain;
  const isCut = axis.format === 'percent' && low > 0;
  return { axis, clip: false, notes: isCut ? [`The axis begins at ${formatPercent(low)}.`] : [] };
}
