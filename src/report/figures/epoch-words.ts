import type { Results } from '../results.ts';
import { describeBand, SMOOTHED_FROM_EPOCHS, SMOOTHING_EPOCHS } from './epoch-series.ts';

/**
 * What the lines of a figure over epochs are, and whether they are smoothed.
 *
 * @param window null if the figure is never smoothed
 */
export function describeLines(
  results: Results,
  smoothed: boolean,
  window: number | null = SMOOTHING_EPOCHS,
): string[] {
  const seeds = results.seeds.length;
  const sentences: string[] = [];
  if (smoothed) {
    sentences.push(
      `Lines are centred moving means over ${window} epochs (fewer at both ends)${seeds > 1 ? '' : '; the faint lines behind them are the values themselves'}.`,
    );
  } else if (window !== null) {
    sentences.push(
      `Values are as measured: fewer than ${SMOOTHED_FROM_EPOCHS} epochs are not smoothed by moving means over ${window}.`,
    );
  }
  if (seeds > 1) sentences.push(`Lines are means over ${seeds} seeds, bands the ${describeBand(seeds)}.`);
  return sentences;
}
