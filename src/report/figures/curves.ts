import { present, sentences } from '../../verdicts/words.ts';
import { allRuns, axisRange } from '../data/epochs.ts';
import { SEEDS_FOR_INTERVAL } from '../data/outcome.ts';
import { nameReference } from '../data/reference.ts';
import type { EpochPoint, ModelResult, Results, RunResult, Series } from '../data/results.ts';
import type { Figure, LegendEntry } from '../drawing/figure.ts';
import { modelColor } from '../drawing/theme.ts';
import {
  buildPointSeries,
  buildSeries,
  drawEpochPanel,
  type EpochLine,
  type PanelSize,
  type SeriesOptions,
  type ValueAxis,
} from './epoch-panel.ts';

/** As in the thesis. */
const SMOOTHING_EPOCHS = 64;

/** With this many epochs, single ones can no longer be told apart, and only the trend is readable. */
const SMOOTHED_FROM_EPOCHS = 200;

/** Over how many epochs the moving means of a long training are; null: values are drawn as measured. */
export function windowOf(results: Results): number | null {
  const longest = Math.max(...allRuns(results).map(({ metrics }) => metrics.epochs.length));
  return longest < SMOOTHED_FROM_EPOCHS ? null : SMOOTHING_EPOCHS;
}

interface Curves extends Omit<Figure, 'panels'> {
  readonly panels: readonly {
    readonly title: string;
    readonly lines: readonly EpochLine[];
    readonly axis: ValueAxis;
  }[];
  /** Whether lines of a long training are moving means. */
  readonly isSmoothed: boolean;
  /** More sentences of the caption, after those about the lines. */
  readonly notes: readonly string[];
  readonly size: PanelSize;
}

/** A figure of panels with lines over the epochs. Lines without any point are left out; in the legend, too, if they are thin. */
export function composeCurves(results: Results, curves: Curves): Figure {
  const { panels, isSmoothed, notes, size, ...figure } = curves;
  const drawn = panels.map(({ lines }) => lines.filter(({ series }) => series.line.length > 0));
  const hasThin = drawn.flat().some(({ mark }) => mark === 'thin');
  return {
    ...figure,
    caption: sentences(figure.caption, ...describeLines(results, isSmoothed), ...notes),
    legend: figure.legend.filter(({ mark }) => mark !== 'thin' || hasThin),
    panels: panels.map(({ title, axis }, index) =>
      drawEpochPanel({ title, lines: drawn[index]!, epochs: axisRange(results), size, ...axis }),
    ),
  };
}

/** What the lines of a figure over epochs are, and whether they are smoothed. */
function describeLines(results: Results, isSmoothed: boolean): string[] {
  const window = windowOf(results);
  const n = results.seeds.length;
  return present(
    isSmoothed &&
      (window === null
        ? `Values are as measured; runs of ${SMOOTHED_FROM_EPOCHS} epochs or more are smoothed by moving means over ${SMOOTHING_EPOCHS}.`
        : `Lines are centred moving means over ${window} epochs (fewer at both ends)${n > 1 ? '' : '; the faint lines behind them are the values themselves'}.`),
    n > 1 && `Lines are means over ${n} seeds, bands the ${describeBand(n)}.`,
  );
}

export function describeBand(seeds: number): string {
  return seeds < SEEDS_FOR_INTERVAL ? 'range over seeds' : '95\u00a0% interval of the mean over seeds';
}

/** One quantity of every model: a line each in the model's colour, and a thin one for the authors' logs. */
export function modelLines(
  results: Results,
  pick: (run: RunResult) => Series,
  loggedOf: (model: ModelResult) => readonly EpochPoint[],
  options: SeriesOptions,
): EpochLine[] {
  const [, lastEpoch] = axisRange(results);
  return results.models.flatMap((model, index): EpochLine[] => {
    const color = modelColor(index);
    const logged = buildPointSeries(loggedOf(model), options, lastEpoch);
    return [
      { label: model.title, series: buildSeries(model.runs, pick, options), color, mark: 'line' },
      { label: `${model.title}, authors’ logs`, series: logged, color, mark: 'thin' },
    ];
  });
}

/** The legend of {@link modelLines}. @param suffixes what follows a model's title, in their order */
export function modelLegend({ models, seeds }: Results, suffixes: readonly string[] = []): LegendEntry[] {
  return [
    ...models.map(
      ({ title }, index): LegendEntry => ({
        label: title + (suffixes[index] ?? ''),
        color: modelColor(index),
        mark: 'line',
      }),
    ),
    ...listSeedBand(seeds),
    { label: 'authors’ logs, in the model’s colour', color: 'ink', mark: 'thin' },
  ];
}

/** A sentence on the thin lines. */
export function nameModelLogs(results: Results, smoothed: boolean): string {
  return `Thin dashed lines in a model’s colour are the ${nameReference(results, smoothed)}.`;
}

/** The band around lines that are means over the seeds; none with one seed. */
export function listSeedBand(seeds: Results['seeds']): LegendEntry[] {
  return seeds.length > 1 ? [{ label: describeBand(seeds.length), color: 'ink', mark: 'band' }] : [];
}
