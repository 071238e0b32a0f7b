import { allRuns, axisRange, isValidated } from '../data/epochs.ts';
import { hasReference, nameReference, nameReferenceLine, referenceOf } from '../data/reference.ts';
import {
  type EpochPoint,
  type ModelResult,
  type ReferenceCurves,
  type Results,
  type RunResult,
  type Series,
  SPLITS,
  type Split,
} from '../data/results.ts';
import {
  type CsvValue,
  type Figure,
  isThin,
  type LegendEntry,
  type LineMark,
  type ThinMark,
} from '../drawing/figure.ts';
import { modelColor } from '../drawing/palette.ts';
import { drawEpochPanel, type EpochLine, type EpochPanelOptions } from './epoch-panel.ts';
import { buildPointSeries, buildSeries, isSmoothed, onlyPositive, SMOOTHING_EPOCHS } from './epoch-series.ts';
import { describeLines, listModelLogs, listModels, listSeedBand } from './epoch-words.ts';
import { type ChooseAxis, fitAxis } from './fit-axis.ts';

type Size = EpochPanelOptions['size'];

/** What figures of curves over the epochs have in common. */
interface Curves {
  readonly id: string;
  readonly title: string;
  readonly caption: string;
  readonly alt: string;
  /** The axis of every panel, for the smallest and largest value drawn. */
  readonly axis: ChooseAxis;
  /** Whether the axis of a long training begins where the values settle, without the first steps. */
  readonly settled?: boolean;
  /** Default `linear`; a logarithmic one leaves out values that are not positive. */
  readonly scale?: 'linear' | 'log';
  /** The values that the quantity can have. */
  readonly bounds: readonly [number, number];
}

/** One quantity of every model, drawn in a panel of its own. */
export interface Quantity {
  /** Its name in the CSV. */
  readonly name: string;
  readonly title: string;
  readonly pick: (run: RunResult) => Series;
  /** The same in the authors' logs. */
  readonly pickReference: (curves: ReferenceCurves) => readonly EpochPoint[];
}

export interface ModelCurves extends Curves {
  readonly quantities: readonly Quantity[];
  /** The columns of the CSV with the name of the quantity and with its value. */
  readonly columns: readonly [string, string];
  /** The width of the moving means of a long training, in epochs; null for none, default {@link SMOOTHING_EPOCHS}. */
  readonly window?: number | null;
  readonly size: Size;
}

/** Quantities over the epochs: one panel each, with one line per model, all with the same scale. */
export function drawModelCurves(results: Results, curves: ModelCurves): Figure {
  const smoothed = curves.window !== null && isSmoothed(allRuns(results));
  const window = curves.window ?? SMOOTHING_EPOCHS;
  const [, lastEpoch] = axisRange(results);
  const panels = curves.quantities.map((quantity) => ({
    title: quantity.title,
    lines: results.models.flatMap((model, index): EpochLine[] => {
      const color = modelColor(index);
      const series = buildSeries(model.runs, quantity.pick, { smoothed, window, bounds: curves.bounds });
      const logged = buildPointSeries(referencePoints(results, model, quantity), smoothed, lastEpoch, window);
      return [
        { label: model.title, series, color, mark: 'line' },
        { label: nameReferenceLine(model.title), series: logged, color, mark: 'thin-dashed' },
      ];
    }),
  }));
  return composeCurves(results, curves, {
    panels,
    smoothed,
    window: curves.window,
    logs: `Thin dashed lines in a model’s colour are the ${nameReference(results, smoothed)}.`,
    legendOf: (lines) => [
      ...listModels(results),
      ...listSeedBand(results),
      ...listModelLogs(lines.some(({ mark }) => mark === 'thin-dashed')),
    ],
    columns: curves.quantities.length,
    size: curves.size,
    data: tabulateQuantities(results, curves),
  });
}

function referencePoints(
  results: Results,
  model: ModelResult,
  { pickReference }: Quantity,
): readonly EpochPoint[] {
  const curves = referenceOf(results, model);
  return curves === null ? [] : pickReference(curves);
}

/** One row per model, seed, epoch and quantity; then the authors' values as logged. */
function tabulateQuantities(results: Results, { quantities, columns }: ModelCurves): CsvValue[][] {
  const rows: CsvValue[][] = [['model', 'seed', 'epoch', ...columns, 'source']];
  for (const model of results.models) {
    for (const run of model.runs) {
      const { seed, metrics } = run;
      for (const { name, pick } of quantities) {
        const values = pick(run);
        metrics.epochs.forEach((epoch, i) => {
          rows.push([model.id, seed, epoch, name, values[i] ?? null, 'run']);
        });
      }
    }
    for (const quantity of quantities) {
      for (const { epoch, value } of referencePoints(results, model, quantity)) {
        rows.push([model.id, null, epoch, quantity.name, value, 'authors']);
      }
    }
  }
  return rows;
}

/** The marks of each part of the data in every figure over epochs, in the colour of the model. */
const SPLIT_MARKS: Readonly<Record<Split, LineMark>> = {
  train: 'dotted',
  validation: 'dashed',
  test: 'line',
};

const SPLIT_NAMES: Readonly<Record<Split, string>> = {
  test: 'test',
  validation: 'validation',
  train: 'training',
};

const SPLIT_LEGEND: readonly LegendEntry[] = (['test', 'validation', 'train'] as const).map((split) => ({
  label: SPLIT_NAMES[split],
  color: 'ink',
  mark: SPLIT_MARKS[split],
}));

/** The style of the authors' logs: all in the text colour, with a dash pattern for each part of the data. */
const REFERENCE_STYLES: Readonly<Record<Split, { readonly color: string; readonly mark: ThinMark }>> = {
  train: { color: 'ink', mark: 'thin-dotted' },
  validation: { color: 'ink', mark: 'thin-dash-dotted' },
  test: { color: 'ink', mark: 'thin-dashed' },
};

const PANEL_SIZE = { width: 420, height: 240 };

interface SplitCurves extends Curves {
  /** The quantity in the authors' logs. */
  readonly pickReference: (curves: ReferenceCurves) => Partial<Record<Split, readonly EpochPoint[]>>;
  /** What readers must know about their lines. */
  readonly referenceCaption: string;
}

/** One quantity over the epochs, on the training, validation and test clips: one panel per model, all with the same scale. */
export function drawSplitCurves(
  results: Results,
  quantity: 'accuracy' | 'loss',
  curves: SplitCurves,
): Figure {
  const { bounds, pickReference } = curves;
  const smoothed = isSmoothed(allRuns(results));
  const [, lastEpoch] = axisRange(results);
  const panels = results.models.map((model, index) => {
    const logged = referenceOf(results, model);
    const picked = logged === null ? {} : pickReference(logged);
    return {
      title: model.title,
      lines: [
        ...SPLITS.map((split) => ({
          color: modelColor(index),
          mark: SPLIT_MARKS[split],
          label: SPLIT_NAMES[split],
          series: buildSeries(model.runs, ({ metrics }) => metrics[quantity][split], { smoothed, bounds }),
        })),
        ...SPLITS.map((split) => ({
          ...REFERENCE_STYLES[split],
          label: nameReferenceSplit(split),
          series: buildPointSeries(picked[split] ?? [], smoothed, lastEpoch),
        })),
      ],
    };
  });
  return composeCurves(results, curves, {
    panels,
    smoothed,
    window: undefined,
    logs: `Thin lines are the ${nameReference(results, smoothed)}${curves.referenceCaption}`,
    legendOf: (lines) => [...listSplits(results), ...listSeedBand(results), ...referenceLegend(lines)],
    columns: 2,
    size: PANEL_SIZE,
    data: [...splitTable(results, quantity), ...referenceRows(results, pickReference)],
  });
}

/** The legend's lines of ours, without validation if no clips were held out. */
function listSplits(results: Results): readonly LegendEntry[] {
  const unseen = isValidated(results) ? null : SPLIT_NAMES.validation;
  return SPLIT_LEGEND.filter(({ label }) => label !== unseen);
}

function nameReferenceSplit(split: Split): string {
  return `authors’ logs: ${SPLIT_NAMES[split]}`;
}

function referenceLegend(lines: readonly EpochLine[]): LegendEntry[] {
  return (['test', 'validation', 'train'] as const).flatMap((split): LegendEntry[] => {
    const style = REFERENCE_STYLES[split];
    const drawn = lines.some(({ mark }) => mark === style.mark);
    return drawn ? [{ label: nameReferenceSplit(split), ...style }] : [];
  });
}

/** The authors' values as logged, one row each. */
function referenceRows(results: Results, pickReference: SplitCurves['pickReference']): CsvValue[][] {
  return results.models.flatMap((model) => {
    const curves = referenceOf(results, model);
    if (curves === null) return [];
    const picked = pickReference(curves);
    return SPLITS.flatMap((split) =>
      (picked[split] ?? []).map(({ epoch, value }) => [model.id, null, epoch, split, value, 'authors']),
    );
  });
}

/** One row per model, seed, epoch and split. */
function splitTable(results: Results, quantity: 'accuracy' | 'loss'): CsvValue[][] {
  const rows: CsvValue[][] = [['model', 'seed', 'epoch', 'split', quantity, 'source']];
  for (const model of results.models) {
    for (const { seed, metrics } of model.runs) {
      metrics.epochs.forEach((epoch, index) => {
        for (const split of SPLITS)
          rows.push([model.id, seed, epoch, split, metrics[quantity][split][index] ?? null, 'run']);
      });
    }
  }
  return rows;
}

interface Composition {
  readonly panels: readonly { readonly title: string; readonly lines: readonly EpochLine[] }[];
  readonly smoothed: boolean;
  readonly window: ModelCurves['window'];
  /** A sentence about the lines of the authors' logs. */
  readonly logs: string;
  readonly legendOf: (drawn: readonly EpochLine[]) => readonly LegendEntry[];
  readonly columns: number;
  readonly size: Size;
  readonly data: Figure['data'];
}

/** The figure of some panels with lines, all with the same axis. Lines of the authors' logs without any point are left out. */
function composeCurves(
  results: Results,
  { id, title, caption, alt, axis: choose, settled = false, scale = 'linear' }: Curves,
  { panels, smoothed, window, logs, legendOf, columns, size, data }: Composition,
): Figure {
  const epochs = axisRange(results);
  const drawn = panels.map(({ lines }) =>
    lines
      .map((line) => (scale === 'log' ? { ...line, series: onlyPositive(line.series) } : line))
      .filter(({ mark, series }) => !isThin(mark) || series.line.length > 0),
  );
  const { axis, clip, notes } = fitAxis(drawn, choose, smoothed && settled ? { epochs } : null);
  return {
    id,
    title,
    caption: [
      caption,
      ...describeLines(results, smoothed, window),
      ...notes,
      ...(hasReference(results) ? [logs] : []),
    ].join(' '),
    alt,
    legend: legendOf(drawn.flat()),
    columns,
    panels: drawn.map((lines, index) =>
      drawEpochPanel({ title: panels[index]?.title ?? '', lines, epochs, clip, scale, size, ...axis }),
    ),
    data,
  };
}
