import { allRuns, axisRange } from '../data/epochs.ts';
import { hasReference, nameReference, nameReferenceLine, referenceOf } from '../data/reference.ts';
import type {
  EpochPoint,
  ModelResult,
  ReferenceCurves,
  Results,
  RunResult,
  Series,
} from '../data/results.ts';
import type { CsvValue, Figure } from '../drawing/figure.ts';
import { modelColor } from '../drawing/palette.ts';
import { drawEpochPanel, type EpochLine } from './epoch-panel.ts';
import {
  buildPointSeries,
  buildSeries,
  type EpochSeries,
  isSmoothed,
  onlyPositive,
  SMOOTHING_EPOCHS,
} from './epoch-series.ts';
import { describeLines, listModelLogs, listModels, listSeedBand } from './epoch-words.ts';
import { type ChooseAxis, fitAxis } from './fit-axis.ts';

/** One quantity of every model, drawn in a panel of its own. */
export interface Quantity {
  /** Its name in the CSV. */
  readonly name: string;
  readonly title: string;
  readonly pick: (run: RunResult) => Series;
  /** The same in the authors' logs. */
  readonly pickReference: (curves: ReferenceCurves) => readonly EpochPoint[];
}

export interface ModelCurves {
  readonly id: string;
  readonly title: string;
  readonly caption: string;
  readonly alt: string;
  readonly quantities: readonly Quantity[];
  /** Column of the CSV that tells the quantities apart, and that of the value. */
  readonly columns: readonly [string, string];
  /** Over how many epochs a long training's lines are moving means; null for none, default {@link SMOOTHING_EPOCHS}. */
  readonly window?: number | null;
  /** Default `linear`; a logarithmic one leaves out values that are not positive. */
  readonly scale?: 'linear' | 'log';
  /** The values that the quantity can have. */
  readonly bounds: readonly [number, number];
  /** The axis of every panel, for the smallest and largest value drawn. */
  readonly axis: ChooseAxis;
  /** Whether the axis of a long training begins where the values settle, without the first steps. */
  readonly settled?: boolean;
  readonly size: { readonly width: number; readonly height: number };
}

/** Quantities over the epochs: one panel each, with one line per model, all with the same scale. */
export function drawModelCurves(results: Results, curves: ModelCurves): Figure {
  const { scale = 'linear' } = curves;
  const smoothed = curves.window !== null && isSmoothed(allRuns(results));
  const window = curves.window ?? SMOOTHING_EPOCHS;
  const showable = (series: EpochSeries) => (scale === 'log' ? onlyPositive(series) : series);
  const epochs = axisRange(results);
  const drawn = curves.quantities.map((quantity) =>
    results.models.flatMap((model, index): EpochLine[] => {
      const color = modelColor(index);
      const series = showable(
        buildSeries(model.runs, quantity.pick, { smoothed, window, bounds: curves.bounds }),
      );
      const logged = showable(
        buildPointSeries(referencePoints(results, model, quantity), smoothed, epochs[1], window),
      );
      return [
        { label: model.title, series, color, mark: 'line' },
        ...(logged.line.length === 0
          ? []
          : [
              {
                label: nameReferenceLine(model.title),
                series: logged,
                color,
                mark: 'thin-dashed',
              } as const,
            ]),
      ];
    }),
  );
  const settled = smoothed && curves.settled === true ? { epochs } : null;
  const { axis, clip, notes } = fitAxis(drawn, curves.axis, settled);
  const logged = drawn.flat().some(({ mark }) => mark === 'thin-dashed');
  return {
    id: curves.id,
    title: curves.title,
    caption: [
      curves.caption,
      ...describeLines(results, smoothed, curves.window),
      ...notes,
      ...(hasReference(results)
        ? [`Thin dashed lines in a model’s colour are the ${nameReference(results, smoothed)}.`]
        : []),
    ].join(' '),
    alt: curves.alt,
    legend: [...listModels(results), ...listSeedBand(results), ...listModelLogs(logged)],
    columns: curves.quantities.length,
    panels: drawn.map((lines, index) =>
      drawEpochPanel({
        title: curves.quantities[index]?.title ?? '',
        lines,
        epochs,
        clip,
        scale,
        size: curves.size,
        ...axis,
      }),
    ),
    data: tabulate(results, curves),
  };
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
function tabulate(results: Results, { quantities, columns }: ModelCurves): CsvValue[][] {
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
