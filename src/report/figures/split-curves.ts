import { type Results, type RunResult, SPLITS, type Split } from '../results.ts';
import { drawEpochPanel, type EpochPanelOptions } from './epoch-panel.ts';
import { buildSeries, drawnExtent, isSmoothed, SMOOTHING_EPOCHS } from './epoch-series.ts';
import type { CsvValue, Figure, LegendEntry } from './figure.ts';

/** How the three parts of the data look in every figure over epochs. */
const SPLIT_STYLES: Readonly<
  Record<Split, { readonly color: string; readonly mark: 'line' | 'dashed' | 'dotted' }>
> = {
  train: { color: 'grey', mark: 'dotted' },
  validation: { color: 'vermilion', mark: 'dashed' },
  test: { color: 'blue', mark: 'line' },
};

const SPLIT_LEGEND: readonly LegendEntry[] = [
  { label: 'test', ...SPLIT_STYLES.test },
  { label: 'validation', ...SPLIT_STYLES.validation },
  { label: 'training', ...SPLIT_STYLES.train },
];

const PANEL_SIZE = { width: 420, height: 240 };

interface SplitCurves {
  readonly title: string;
  readonly caption: string;
  readonly alt: string;
  /** Of every panel, from the smallest and largest value drawn. */
  readonly axis: (lowest: number, highest: number) => Pick<EpochPanelOptions, 'domain' | 'format' | 'level'>;
}

/** One quantity over the epochs, on the training, validation and test clips: one panel a model, all on one scale. */
export function drawSplitCurves(
  results: Results,
  quantity: 'accuracy' | 'loss',
  { title, caption, alt, axis }: SplitCurves,
): Figure {
  const smoothed = isSmoothed(allRuns(results));
  const models = results.models.map((model) => ({
    model,
    lines: SPLITS.map((split) => ({
      ...SPLIT_STYLES[split],
      series: buildSeries(model.runs, (metrics) => metrics[quantity][split], smoothed),
    })),
  }));
  const extent = drawnExtent(models.flatMap(({ lines }) => lines.map(({ series }) => series))) ?? [0, 0];
  return {
    id: quantity,
    title,
    caption: [caption, ...describeDrawing(results, smoothed)].join(' '),
    alt,
    legend: [...SPLIT_LEGEND, ...seedLegend(results)],
    columns: 2,
    panels: models.map(({ model, lines }) =>
      drawEpochPanel({
        title: model.title,
        lines,
        epochs: epochRange(results),
        axisTitle: quantity,
        size: PANEL_SIZE,
        ...axis(...extent),
      }),
    ),
    data: splitTable(results, quantity),
  };
}

/** One row a model, seed, epoch and split. */
function splitTable(results: Results, quantity: 'accuracy' | 'loss'): CsvValue[][] {
  const rows: CsvValue[][] = [['model', 'seed', 'epoch', 'split', quantity]];
  for (const model of results.models) {
    for (const { seed, metrics } of model.runs) {
      metrics.epochs.forEach((epoch, index) => {
        for (const split of SPLITS)
          rows.push([model.id, seed, epoch, split, metrics[quantity][split][index] ?? null]);
      });
    }
  }
  return rows;
}

export function allRuns(results: Results): RunResult[] {
  return results.models.flatMap((model) => model.runs);
}

/** First and last epoch over all runs. */
export function epochRange(results: Results): [number, number] {
  const epochs = allRuns(results).flatMap(({ metrics }) => [
    metrics.epochs[0] ?? 0,
    metrics.epochs.at(-1) ?? 0,
  ]);
  return [Math.min(...epochs), Math.max(...epochs)];
}

export function describeEpochs(results: Results): string {
  const [first, last] = epochRange(results);
  return first === last ? `epoch ${first}` : `epochs ${first} to ${last}`;
}

/** What a line is, where it is not simply the values of one run. */
function describeDrawing(results: Results, smoothed: boolean): string[] {
  const several = results.seeds.length > 1;
  const sentences: string[] = [];
  if (smoothed) {
    sentences.push(
      `Lines are moving means over ${SMOOTHING_EPOCHS} epochs (fewer at both ends)${several ? '' : '; the values themselves lie faint behind them'}.`,
    );
  }
  if (several)
    sentences.push(
      `Lines are means over ${results.seeds.length} seeds, bands reach from the lowest to the highest.`,
    );
  return sentences;
}

function seedLegend(results: Results): LegendEntry[] {
  return results.seeds.length > 1 ? [{ label: 'range over seeds', color: 'grey', mark: 'band' }] : [];
}
