import { allRuns, axisRange, isValidated } from '../data/epochs.ts';
import { hasReference, nameReference, referenceOf } from '../data/reference.ts';
import {
  type EpochPoint,
  type ModelResult,
  type ReferenceCurves,
  type Results,
  SPLITS,
  type Split,
} from '../data/results.ts';
import type { CsvValue, Figure, LegendEntry, LineMark, ThinMark } from '../drawing/figure.ts';
import { modelColor } from '../drawing/palette.ts';
import { drawEpochPanel, type EpochLine } from './epoch-panel.ts';
import { buildPointSeries, buildSeries, isSmoothed, onlyPositive } from './epoch-series.ts';
import { describeLines, listSeedBand } from './epoch-words.ts';
import { type ChooseAxis, fitAxis } from './fit-axis.ts';

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

interface SplitCurves {
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
  const { id, title, caption, alt, scale = 'linear', bounds, pickReference, referenceCaption } = curves;
  const smoothed = isSmoothed(allRuns(results));
  const epochs = axisRange(results);
  const drawn = results.models.map((model, index) =>
    showable(scale, [
      ...SPLITS.map((split) => ({
        color: modelColor(index),
        mark: SPLIT_MARKS[split],
        label: SPLIT_NAMES[split],
        series: buildSeries(model.runs, ({ metrics }) => metrics[quantity][split], { smoothed, bounds }),
      })),
      ...drawReference(results, model, { pickReference, smoothed, lastEpoch: epochs[1] }),
    ]),
  );
  const settled = smoothed && curves.settled === true ? { epochs } : null;
  const { axis, clip, notes } = fitAxis(drawn, curves.axis, settled);
  return {
    id,
    title,
    caption: [
      caption,
      ...describeLines(results, smoothed),
      ...notes,
      ...(hasReference(results)
        ? [`Thin lines are the ${nameReference(results, smoothed)}${referenceCaption}`]
        : []),
    ].join(' '),
    alt,
    legend: [...listSplits(results), ...listSeedBand(results), ...referenceLegend(drawn.flat())],
    columns: 2,
    panels: drawn.map((lines, index) =>
      drawEpochPanel({
        title: results.models[index]?.title ?? '',
        lines,
        epochs,
        clip,
        scale,
        size: PANEL_SIZE,
        ...axis,
      }),
    ),
    data: [...splitTable(results, quantity), ...referenceRows(results, pickReference)],
  };
}

/** The legend's lines of ours, without validation if no clips were held out. */
function listSplits(results: Results): readonly LegendEntry[] {
  const unseen = isValidated(results) ? null : SPLIT_NAMES.validation;
  return SPLIT_LEGEND.filter(({ label }) => label !== unseen);
}

/** The lines as far as the scale can show them. */
function showable(scale: 'linear' | 'log', lines: readonly EpochLine[]): readonly EpochLine[] {
  return scale === 'linear' ? lines : lines.map((line) => ({ ...line, series: onlyPositive(line.series) }));
}

/** The authors' lines for a model, smoothed like ours. */
function drawReference(
  results: Results,
  model: ModelResult,
  {
    pickReference,
    smoothed,
    lastEpoch,
  }: Pick<SplitCurves, 'pickReference'> & { readonly smoothed: boolean; readonly lastEpoch: number },
): EpochLine[] {
  const curves = referenceOf(results, model);
  if (curves === null) return [];
  const picked = pickReference(curves);
  return SPLITS.flatMap((split): EpochLine[] => {
    const series = buildPointSeries(picked[split] ?? [], smoothed, lastEpoch);
    return series.line.length === 0
      ? []
      : [{ ...REFERENCE_STYLES[split], label: nameReferenceSplit(split), series }];
  });
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
