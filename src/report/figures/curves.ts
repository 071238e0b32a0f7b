import { allRuns, axisRange, isValidated } from '../data/epochs.ts';
import { present, sentences } from '../data/format.ts';
import { SEEDS_FOR_INTERVAL } from '../data/outcome.ts';
import { hasReference, nameReference, referenceOf } from '../data/reference.ts';
import {
  type EpochPoint,
  type ModelResult,
  RESULT_SPLITS,
  type ReferenceCurves,
  type ResultSplit,
  type Results,
  type RunResult,
  type Series,
} from '../data/results.ts';
import { type Figure, isThin, type LegendEntry, type LineMark } from '../drawing/figure.ts';
import { modelColor } from '../drawing/palette.ts';
import {
  drawEpochPanel,
  type EpochLine,
  type PanelSize,
  type ValueAxis,
  type Violin,
} from './epoch-panel.ts';
import {
  buildPointSeries,
  buildSeries,
  isSmoothed,
  onlyPositive,
  type SeriesOptions,
  SMOOTHED_FROM_EPOCHS,
  SMOOTHING_EPOCHS,
} from './epoch-series.ts';
import { type ChooseAxis, fitAxis } from './fit-axis.ts';
import { tabulateRuns } from './run-table.ts';

/** What figures of curves over the epochs have in common. */
export interface Curves extends Pick<Figure, 'id' | 'title' | 'caption' | 'alt'> {
  /** The axis that all panels share; without it, each has its own. */
  readonly axis?: ChooseAxis;
  /** Whether the axis of a long training begins where the values settle, without the first steps. */
  readonly settled?: boolean;
  /** Default `linear`; a logarithmic one leaves out values that are not positive. */
  readonly scale?: 'linear' | 'log';
  readonly bounds: readonly [number, number];
  /** The width of the moving means of a long training, in epochs; null for none, default {@link SMOOTHING_EPOCHS}. */
  readonly window?: number | null;
}

/** In the legend, thin lines are only listed if there are some. */
interface Composition extends Pick<Figure, 'legend' | 'columns' | 'data'> {
  readonly panels: readonly {
    readonly title: string;
    readonly lines: readonly EpochLine[];
    /** If the figure has none for all. */
    readonly axis?: ValueAxis;
    readonly violins?: readonly Violin[];
  }[];
  /** More sentences of the caption, after those about the lines. */
  readonly notes?: readonly string[];
  /** A sentence about the lines of the authors' logs; null if there are none. */
  readonly logs: string | null;
  readonly size: PanelSize;
}

/** A figure of panels with lines over the epochs. Lines without any point are left out. */
export function composeCurves(results: Results, curves: Curves, composition: Composition): Figure {
  const { id, title, caption, alt, axis: choose, scale = 'linear' } = curves;
  const { panels, logs, legend, columns, size, data } = composition;
  const epochs = axisRange(results);
  const { window } = smoothingOf(results, curves);
  const drawn = panels.map(({ lines }) =>
    lines
      .map((line) => (scale === 'log' ? { ...line, series: onlyPositive(line.series) } : line))
      .filter(({ series }) => series.line.length > 0),
  );
  const settled = window !== null && curves.settled === true ? epochs : null;
  const shared = choose === undefined ? null : fitAxis(drawn.flat(), choose, settled);
  const places = Math.max(0, ...panels.map(({ violins = [] }) => violins.length));
  return {
    id,
    title,
    caption: sentences(
      caption,
      ...describeLines(results, curves),
      ...(shared?.notes ?? []),
      ...(composition.notes ?? []),
      logs,
    ),
    alt,
    legend: legend.filter(({ mark }) => !isThin(mark) || drawn.flat().some((line) => line.mark === mark)),
    columns,
    panels: panels.map(({ title: name, axis, violins = [] }, index) => {
      const own = axis ?? shared?.axis;
      if (own === undefined) throw new RangeError(`figure ${id}: a panel has no axis`);
      return drawEpochPanel({
        ...{ title: name, lines: drawn[index] ?? [], epochs, size, violins, places, scale },
        ...own,
      });
    }),
    data,
  };
}

export function smoothingOf(
  results: Results,
  { window = SMOOTHING_EPOCHS, bounds }: Pick<Curves, 'window' | 'bounds'>,
): SeriesOptions {
  return { window: isSmoothed(allRuns(results)) ? window : null, bounds };
}

/** What the lines of a figure over epochs are, and whether they are smoothed. */
function describeLines(results: Results, curves: Curves): string[] {
  const { window } = smoothingOf(results, curves);
  const n = results.seeds.length;
  return present(
    window !== null &&
      `Lines are centred moving means over ${window} epochs (fewer at both ends)${n > 1 ? '' : '; the faint lines behind them are the values themselves'}.`,
    window === null &&
      curves.window !== null &&
      `Values are as measured; runs of ${SMOOTHED_FROM_EPOCHS} epochs or more are smoothed by moving means over ${curves.window ?? SMOOTHING_EPOCHS}.`,
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
      { label: `${model.title}, authors’ logs`, series: logged, color, mark: 'thin-dashed' },
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
    { label: 'authors’ logs, in the model’s colour', color: 'ink', mark: 'thin-dashed' },
  ];
}

export function nameModelLogs(results: Results, smoothed: boolean): string {
  return `Thin dashed lines in a model’s colour are the ${nameReference(results, smoothed)}.`;
}

/** The band around lines that are means over the seeds; none with one seed. */
function listSeedBand(seeds: Results['seeds']): LegendEntry[] {
  return seeds.length > 1 ? [{ label: describeBand(seeds.length), color: 'ink', mark: 'band' }] : [];
}

/** One quantity of every model, drawn in a panel of its own. */
export interface Quantity {
  /** Its name in the CSV. */
  readonly name: string;
  readonly title: string;
  readonly pick: (run: RunResult) => Series;
  readonly pickReference: (curves: ReferenceCurves) => readonly EpochPoint[];
}

export interface ModelCurves extends Curves {
  readonly quantities: readonly Quantity[];
  /** The columns of the CSV with the name of the quantity and with its value. */
  readonly columns: readonly [string, string];
  readonly size: PanelSize;
}

/** Quantities over the epochs: one panel each, with one line per model, all with the same scale. */
export function drawModelCurves(results: Results, curves: ModelCurves): Figure {
  const options = smoothingOf(results, curves);
  const { quantities } = curves;
  const loggedOf = (model: ModelResult, { pickReference }: Quantity): readonly EpochPoint[] => {
    const found = referenceOf(results, model);
    return found === null ? [] : pickReference(found);
  };
  return composeCurves(results, curves, {
    panels: quantities.map((quantity) => ({
      title: quantity.title,
      lines: modelLines(results, quantity.pick, (model) => loggedOf(model, quantity), options),
    })),
    logs: hasReference(results) ? nameModelLogs(results, options.window !== null) : null,
    legend: modelLegend(results),
    columns: quantities.length,
    size: curves.size,
    data: tabulateRuns(
      results,
      ['epoch', ...curves.columns, 'source'],
      (run) =>
        quantities.flatMap(({ name, pick }) => {
          const values = pick(run);
          return run.metrics.epochs.map((epoch, i) => [epoch, name, values[i] ?? null, 'run']);
        }),
      (model) =>
        quantities.flatMap((quantity) =>
          loggedOf(model, quantity).map(({ epoch, value }) => [epoch, quantity.name, value, 'authors']),
        ),
    ),
  });
}

/** How each part of the data is drawn, in the order of the legend: our lines in the model's colour, the authors' thin ones in that of texts. */
const SPLIT_STYLES = {
  test: { name: 'test', mark: 'line', logMark: 'thin-dashed' },
  validation: { name: 'validation', mark: 'dashed', logMark: 'thin-dash-dotted' },
  train: { name: 'training', mark: 'dotted', logMark: 'thin-dotted' },
} as const satisfies Record<ResultSplit, { name: string; mark: LineMark; logMark: LineMark }>;

interface SplitCurves extends Curves {
  /** The quantity in the authors' logs. */
  readonly pickReference: (curves: ReferenceCurves) => Partial<Record<ResultSplit, readonly EpochPoint[]>>;
  /** What readers must know about their lines. */
  readonly referenceCaption: string;
}

/** One quantity over the epochs, on the training, validation and test clips: one panel per model, all with the same scale. */
export function drawSplitCurves(
  results: Results,
  quantity: 'accuracy' | 'loss',
  curves: SplitCurves,
): Figure {
  const options = smoothingOf(results, curves);
  const [, lastEpoch] = axisRange(results);
  const logged = results.models.map((model) => {
    const found = referenceOf(results, model);
    return found === null ? {} : curves.pickReference(found);
  });
  const styles = Object.values(SPLIT_STYLES);
  const nameLog = (name: string) => `authors’ logs: ${name}`;
  return composeCurves(results, curves, {
    panels: results.models.map((model, index) => ({
      title: model.title,
      lines: [
        ...RESULT_SPLITS.map((split) => ({
          color: modelColor(index),
          mark: SPLIT_STYLES[split].mark,
          label: SPLIT_STYLES[split].name,
          series: buildSeries(model.runs, ({ metrics }) => metrics[quantity][split], options),
        })),
        ...RESULT_SPLITS.map((split) => ({
          color: 'ink',
          mark: SPLIT_STYLES[split].logMark,
          label: nameLog(SPLIT_STYLES[split].name),
          series: buildPointSeries(logged[index]?.[split] ?? [], options, lastEpoch),
        })),
      ],
    })),
    logs: hasReference(results)
      ? `Thin lines are the ${nameReference(results, options.window !== null)}${curves.referenceCaption}`
      : null,
    legend: [
      ...styles
        .filter(({ name }) => name !== 'validation' || isValidated(results))
        .map(({ name, mark }): LegendEntry => ({ label: name, color: 'ink', mark })),
      ...listSeedBand(results.seeds),
      ...styles.map(
        ({ name, logMark }): LegendEntry => ({ label: nameLog(name), color: 'ink', mark: logMark }),
      ),
    ],
    columns: 2,
    size: { width: 420, height: 240 },
    data: [
      ...tabulateRuns(results, ['epoch', 'split', quantity, 'source'], ({ metrics }) =>
        metrics.epochs.flatMap((epoch, i) =>
          RESULT_SPLITS.map((split) => [epoch, split, metrics[quantity][split][i] ?? null, 'run']),
        ),
      ),
      ...results.models.flatMap(({ id }, index) =>
        RESULT_SPLITS.flatMap((split) =>
          (logged[index]?.[split] ?? []).map(({ epoch, value }) => [
            ...[id, null, epoch, split, value, 'authors'],
          ]),
        ),
      ),
    ],
  });
}
