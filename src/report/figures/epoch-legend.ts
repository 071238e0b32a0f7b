import type { Results } from '../results.ts';
import { describeBand } from './epoch-series.ts';
import type { LegendEntry } from './figure.ts';
import { modelColor } from './palette.ts';

/** A line for each model, in its colour. */
export function listModels({ models }: Results): LegendEntry[] {
  return models.map(({ title }, index) => ({ label: title, color: modelColor(index), mark: 'line' }));
}

/** The band around lines that are means over the seeds; none with one seed. */
export function listSeedBand({ seeds }: Results): LegendEntry[] {
  return seeds.length > 1 ? [bandEntry(describeBand(seeds.length))] : [];
}

/** A band around lines of any colour. */
export function bandEntry(label: string): LegendEntry {
  return { label, color: 'ink', mark: 'band' };
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
