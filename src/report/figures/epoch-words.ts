import type { Results } from '../results.ts';
import { describeBand, SMOOTHING_EPOCHS } from './epoch-series.ts';

/** What the lines of a figure over epochs are, unless they are simply the values of one run. */
export function describeLines(results: Results, smoothed: boolean): string[] {
  const seeds = results.seeds.length;
  const sentences: string[] = [];
  if (smoothed) {
    sentences.push(
      `Lines are centred moving means over ${SMOOTHING_EPOCHS} epochs (fewer at both ends)${seeds > 1 ? '' : '; the faint lines behind them are the values themselves'}.`,
    );
  }
  if (seeds > 1) sentences.push(`Lines are means over ${seeds} seeds, bands the ${describeBand(seeds)}.`);
  return sentences;
}
