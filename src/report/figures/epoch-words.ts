import type { Results } from '../data/results.ts';
import type { LegendEntry } from '../drawing/figure.ts';
import { modelColor } from '../drawing/palette.ts';
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
      `Values are as measured; runs of ${SMOOTHED_FROM_EPOCHS} epochs or more are smoothed by moving means over ${window}.`,
    );
  }
  if (seeds > 1) sentences.push(`Lines are means over ${seeds} seeds, bands the ${describeBand(seeds)}.`);
  return sentences;
}

/** A line for each model, in its colour. */
export function listModels({ models }: Results): LegendEntry[] {
  return models.map(({ title }, index) => ({ label: title, color: modelColor(index), mark: 'line' }));
}

/** The band around lines that are means over the seeds; none with one seed. */
export function listSeedBand({ seeds }: Results): LegendEntry[] {
  return seeds.length > 1 ? [{ label: describeBand(seeds.length), color: 'ink', mark: 'band' }] : [];
}

/**
 * The authors' logs among lines of several models.
 *
 * @param isDrawn whether there is such a line
 */
export function listModelLogs(isDrawn: boolean): LegendEntry[] {
  return isDrawn
    ? [{ label: 'authors’ logs, in the model’s colour', color: 'ink', mark: 'thin-dashed' }]
    : [];
}
