import { formatPercent } from '../data/format.ts';
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
    notes: [`The axis begins at ${formatPercent(low)}: lower values in the first epochs are cut off.`],
  };
}

/** An axis with everything in view. If an axis of shares does not begin at 0, lengths on it cannot be compared, so a note says so. */
function whole(axis: Fitted['axis']): Fitted {
  const [low] = axis.domain;
  const isCut = axis.format === 'percent' && low > 0;
  return { axis, clip: false, notes: isCut ? [`The axis begins at ${formatPercent(low)}.`] : [] };
}

/** With fewer ticks, values between them are hard to estimate. */
const TICKS_AT_LEAST = 3;

/**
 * The ticks of a logarithmic axis: powers of ten. If there are few, also 2 and 5 times these (all multiples would make the grid grey); below
 * one decade all multiples. An axis that is too short for these has equal steps.
 */
export function logTicks([low, high]: readonly [number, number]): number[] {
  const [from, to] = [Math.floor(Math.log10(low)), Math.ceil(Math.log10(high))];
  const digits = high / low < 10 ? [1, 2, 3, 4, 5, 6, 7, 8, 9] : to - from > 3 ? [1] : [1, 2, 5];
  const ticks = Array.from({ length: to - from + 1 }, (_, i) => from + i)
    .flatMap((power) => digits.map((digit) => Number(`${digit}e${power}`)))
    .filter((tick) => tick >= low && tick <= high);
  return ticks.length < TICKS_AT_LEAST ? evenTicks(low, high) : ticks;
}

/** Multiples of one, two or five times a power of ten: the largest step that gives enough of them. */
function evenTicks(low: number, high: number): number[] {
  if (!(high > low)) return [low];
  for (let power = Math.floor(Math.log10(high - low)); ; power--) {
    for (const digit of [5, 2, 1]) {
      const step = Number(`${digit}e${power}`);
      const first = Math.ceil(low / step);
      const count = Math.floor(high / step) - first + 1;
      // Rounded, because 7 * 0.1 is not 0.7.
      const ticks = Array.from({ length: count }, (_, i) => Number(((first + i) * step).toPrecision(12)));
      if (ticks.length >= TICKS_AT_LEAST) return ticks;
    }
  }
}
