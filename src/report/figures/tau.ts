import { axisRange, describeEpochs } from '../epochs.ts';
import { describeCoverage, nameReference, nameReferenceLine, tauReferenceOf } from '../reference.ts';
import type { EpochPoint, ModelResult, Results } from '../results.ts';
import { bandEntry, listModelLogs, listModels } from './epoch-legend.ts';
import { drawEpochPanel, type EpochLine } from './epoch-panel.ts';
import {
  buildPointSeries,
  buildSeries,
  describeBand,
  drawnExtent,
  type EpochRange,
  type EpochSeries,
} from './epoch-series.ts';
import type { CsvValue, Figure } from './figure.ts';
import { cycleColor } from './palette.ts';

/** Membrane time constant of each layer over the epochs: one panel per layer, one line per model. */
export function drawTau(results: Results): Figure {
  const layers = countLayers(results);
  const epochs = axisRange(results);
  const panels = Array.from({ length: layers }, (_, layer) => ({
    layer,
    lines: [
      ...results.models.flatMap((model, index): EpochLine[] => {
        const series = buildTauSeries(model, layer);
        return series === null
          ? []
          : [{ label: model.title, series, color: cycleColor(index), mark: 'line' }];
      }),
      ...drawReference(results, layer, epochs[1]),
    ],
  }));
  const logged = results.models.some((model) => tauReferenceOf(results, model).length > 0);
  return {
    id: 'tau',
    title: 'Membrane time constants over epochs',
    caption: [
      'τ in time steps, one panel per spiking layer, counted from the input, each with its own scale.',
      ...describeBands(results),
      ...(logged
        ? [
            `Thin dashed lines in a model’s colour are the ${nameReference(results, false)}: τ at the mean of w over the layer, which is slightly below the mean of τ if neurons differ.`,
          ]
        : []),
    ].join(' '),
    alt: [
      `Line plots of the membrane time constant over ${describeEpochs(results)}, one for each of ${layers} spiking layers.`,
      ...results.models.map((model) => describeEnd(model, layers)),
      ...(logged ? [describeReference(results)] : []),
    ].join(' '),
    legend: [
      ...listModels(results),
      ...listBands(results).map(({ label }) => bandEntry(label)),
      ...listModelLogs(logged),
    ],
    columns: 3,
    panels: panels.map(({ layer, lines }) => {
      const domain = padded(drawnExtent(lines.map(({ series }) => series)));
      return drawEpochPanel({
        title: `Layer ${layer + 1}`,
        lines,
        epochs,
        domain,
        axisTitle: 'τ, time steps',
        format: formatOf(domain),
        size: { width: 320, height: 190 },
      });
    }),
    data: tauTable(results),
  };
}

/** Spiking layers of the deepest model; 0 if no training recorded time constants. */
export function countLayers(results: Results): number {
  return Math.max(...results.models.flatMap(({ runs }) => runs.map(({ metrics }) => metrics.layers.length)));
}

/** In the models' own colours, because a panel may have lines of four models. */
function drawReference(results: Results, layer: number, lastEpoch: number): EpochLine[] {
  return results.models.flatMap((model, index): EpochLine[] => {
    const series = buildPointSeries(tauReferenceOf(results, model)[layer] ?? [], false, lastEpoch);
    return series.line.length === 0
      ? []
      : [{ label: nameReferenceLine(model.title), series, color: cycleColor(index), mark: 'thin-dashed' }];
  });
}

function describeReference(results: Results): string {
  const ends = results.models.flatMap((model) => {
    const tau = tauReferenceOf(results, model);
    if (tau.length === 0) return [];
    return [
      `${model.title} ends at ${tau.map((points) => points.at(-1)?.value.toFixed(2) ?? 'unknown').join(', ')}`,
    ];
  });
  return `Thin dashed lines show the authors’ logs: ${describeCoverage(results)}. In them ${ends.join('; ')}.`;
}

function buildTauSeries(model: ModelResult, layer: number): EpochSeries | null {
  const runs = model.runs.filter(({ metrics }) => metrics.layers[layer] !== undefined);
  if (runs.length === 0) return null;
  const mean = buildSeries(runs, (metrics) => metrics.layers[layer]?.tauMean ?? [], {
    smoothed: false,
    bounds: [1, Number.POSITIVE_INFINITY],
  });
  if (!hasSpread(model, layer)) return mean;
  const std = buildSeries(runs, (metrics) => metrics.layers[layer]?.tauStd ?? [], { smoothed: false });
  return { line: mean.line, raw: [], band: spread(mean.line, std.line) };
}

/** Whether the neurons of a layer have different τ, at least at times. */
function hasSpread({ runs }: ModelResult, layer: number): boolean {
  return runs.some(({ metrics }) =>
    metrics.layers[layer]?.tauStd.some((value) => value !== null && value !== 0),
  );
}

interface Band {
  readonly label: string;
  readonly sentence: string;
}

/** What the bands of the figure are: over the neurons of a layer where they differ, else over the seeds, if there are several. */
function listBands(results: Results): Band[] {
  const spreads = results.models.flatMap((model) =>
    (model.runs[0]?.metrics.layers ?? []).map((_, layer) => hasSpread(model, layer)),
  );
  const [overNeurons, single] = [spreads.includes(true), spreads.includes(false)];
  const seeds = results.seeds.length;
  const ofSeeds = describeBand(seeds);
  return [
    ...(overNeurons
      ? [
          {
            label: `${single ? 'one τ per neuron: ' : ''}± one standard deviation over neurons`,
            sentence: `Where the neurons of a layer have different τ, lines are their means, and bands ± one standard deviation over the neurons${seeds > 1 ? `, both averaged over ${seeds} seeds` : ''}.`,
          },
        ]
      : []),
    ...(single && seeds > 1
      ? [
          {
            label: `${overNeurons ? 'one τ per layer: ' : ''}${ofSeeds}`,
            sentence: `Where a layer has a single τ, lines are its means over ${seeds} seeds, and bands the ${ofSeeds}.`,
          },
        ]
      : []),
  ];
}

function describeBands(results: Results): string[] {
  const bands = listBands(results).map(({ sentence }) => sentence);
  return results.seeds.length === 1 ? [...bands, 'A layer with a single τ has no band.'] : bands;
}

/** Mean ± standard deviation. */
function spread(means: readonly EpochPoint[], stds: readonly EpochPoint[]): EpochRange[] {
  const stdAt = new Map(stds.map(({ epoch, value }) => [epoch, value]));
  return means.flatMap(({ epoch, value }) => {
    const std = stdAt.get(epoch);
    return std === undefined ? [] : [{ epoch, low: value - std, high: value + std }];
  });
}

/** A domain with a margin of one twentieth on each side, and at least 0.2 time steps high. */
function padded(extent: readonly [number, number] | null): [number, number] {
  const [low, high] = extent ?? [1, 3];
  const air = Math.max((high - low) * 0.05, (0.2 - (high - low)) / 2);
  return [low - air, high + air];
}

/** As many decimals as tell the labels apart: about four on an axis, so 0.05 apart on one of less than 0.3. */
function formatOf([low, high]: readonly [number, number]): string {
  return high - low < 0.3 ? '.2f' : '.1f';
}

function describeEnd(model: ModelResult, layers: number): string {
  const means = Array.from({ length: layers }, (_, layer) => {
    const value = buildTauSeries(model, layer)?.line.at(-1)?.value;
    return value === undefined ? 'unknown' : value.toFixed(2);
  });
  return `${model.title} ends at ${means.join(', ')}.`;
}

function tauTable(results: Results): CsvValue[][] {
  const rows: CsvValue[][] = [['model', 'seed', 'layer', 'epoch', 'tau_mean', 'tau_std', 'source']];
  for (const model of results.models) {
    for (const { seed, metrics } of model.runs) {
      metrics.layers.forEach(({ tauMean, tauStd }, layer) => {
        metrics.epochs.forEach((epoch, index) => {
          rows.push([model.id, seed, layer + 1, epoch, tauMean[index] ?? null, tauStd[index] ?? null, 'run']);
        });
      });
    }
    tauReferenceOf(results, model).forEach((points, layer) => {
      for (const { epoch, value } of points) {
        rows.push([model.id, null, layer + 1, epoch, value, null, 'authors']);
      }
    });
  }
  return rows;
}
