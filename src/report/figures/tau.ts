import type { TauQuantiles, TauState } from '../../results/tau-file.ts';
import { allRuns, axisRange, describeEpochs } from '../data/epochs.ts';
import { joinWords } from '../data/format.ts';
import { describeCoverage, nameReference, nameReferenceLine, tauReferenceOf } from '../data/reference.ts';
import type { ModelResult, Results } from '../data/results.ts';
import type { CsvValue, Figure } from '../drawing/figure.ts';
import { colorVariable, modelColor } from '../drawing/palette.ts';
import { drawEpochPanel, type EpochLine } from './epoch-panel.ts';
import {
  buildPointSeries,
  buildSeries,
  describeBand,
  drawnExtent,
  type EpochSeries,
} from './epoch-series.ts';
import { listModelLogs, listModels, listSeedBand } from './epoch-words.ts';
import { drawViolins, type Violin } from './violins.ts';

/** From this ratio of the largest to the smallest τ on, a linear scale would hide how small τ move. */
const LOGARITHMIC_FROM = 4;

/** A fixed τ is drawn on the scale of the learned ones unless it would stretch it by more than this. */
const STRETCH_AT_MOST = 3;

/** With less spread, in time steps, neurons have no distribution to draw: its density would be a single peak. */
const LEAST_SPREAD = 1e-4;

/**
 * Membrane time constant of each layer over the epochs, and at the end of the same axis its distribution over the neurons: one panel per
 * layer, one line and one violin per model.
 *
 * @see Pazderka 2024, figure 1
 */
export function drawTau(results: Results): Figure {
  const layers = countLayers(results);
  const epochs = axisRange(results);
  const panels = Array.from({ length: layers }, (_, layer) => ({
    layer,
    violins: results.models.flatMap((model, index) => violinOf(model, index, layer)),
    lines: [
      ...results.models.flatMap((model, index): TauLine[] => {
        const series = buildTauSeries(model, layer);
        return series === null
          ? []
          : [
              {
                label: model.title,
                series,
                color: modelColor(index),
                mark: 'line',
                isFixed: fixedTau(model) !== null,
              },
            ];
      }),
      ...drawReference(results, layer, epochs[1]),
    ],
  }));
  const logged = results.models.some((model) => tauReferenceOf(results, model).length > 0);
  const differ = results.models.some(hasDistribution);
  const scales = panels.map(({ lines, violins }) => chooseScale(lines, violins));
  const cut = results.models.filter(({ title }) => scales.some(({ outside }) => outside.includes(title)));
  const places = Math.max(0, ...panels.map(({ violins }) => violins.length));
  return {
    id: 'tau',
    title: `Membrane time constants over epochs${places > 0 ? ', and of single neurons at the end' : ''}`,
    caption: [
      `τ in time steps, one panel per spiking layer, counted from the input, each with its own scale. ${differ ? 'Lines are τ at the mean of w over the layer, 1/sigmoid(mean w), as in the thesis; where neurons differ, the mean of τ is slightly larger.' : 'Lines are 1/sigmoid(w) of the layer.'}`,
      ...(cut.length > 0
        ? [
            `${joinWords(cut.map(({ title }) => title))}: τ is fixed. Where it is outside the scale of the others, see the values at the pointer or the CSV file.`,
          ]
        : []),
      ...(scales.some(({ scale }) => scale === 'log')
        ? ['Where the largest τ is more than four times the smallest, the scale is logarithmic.']
        : []),
      ...describeSeeds(results),
      ...(places > 0 ? [describeViolins(results)] : []),
      ...(logged ? [`Thin dashed lines in a model’s colour are the ${nameReference(results, false)}.`] : []),
    ].join(' '),
    alt: [
      `Line plots of the membrane time constant over ${describeEpochs(results)}, one for each of ${layers} spiking layers.`,
      ...results.models.map((model) => describeEnd(model, layers)),
      ...results.models.filter(hasDistribution).map((model) => describeNeurons(model, layers)),
      ...(logged ? [describeReference(results)] : []),
    ].join(' '),
    legend: [
      ...listModels(results).map((entry, index) => ({
        ...entry,
        label: entry.label + nameFixed(results.models[index]),
      })),
      ...listSeedBand(results),
      ...listModelLogs(logged),
    ],
    columns: 2,
    panels: panels.map(({ layer, lines, violins }, index) => {
      const { domain, scale, outside } = scales[index] ?? chooseScale(lines, violins);
      return drawEpochPanel({
        title: `Layer ${layer + 1}`,
        lines,
        epochs,
        domain,
        axisTitle: 'τ, time steps',
        scale,
        clip: outside.length > 0,
        format: scale === 'log' ? '~g' : formatOf(domain),
        size: { width: 440, height: 220 },
        aside: { places, draw: (axes) => drawViolins(violins, axes) },
      });
    }),
    data: tauTable(results),
  };
}

type TauLine = EpochLine & { readonly isFixed: boolean };

/** The τ of neurons that do not learn it; null if they do. */
function fixedTau({ runs }: ModelResult): number | null {
  const [run] = runs;
  if (run?.network.neuron !== 'lif') return null;
  return run.metrics.layers[0]?.tauOfMean.findLast((tau) => tau !== null) ?? null;
}

/** ` (τ fixed at 16)` */
function nameFixed(model: ModelResult | undefined): string {
  const tau = model === undefined ? null : fixedTau(model);
  return tau === null ? '' : ` (τ fixed at ${Number(tau.toPrecision(3))})`;
}

/**
 * The axis of a panel. It fits the learned τ, if there are any. A fixed τ counts only if it is near them, because one far away would leave
 * them no room.
 *
 * @returns also the titles of the models that are outside of it
 */
function chooseScale(lines: readonly TauLine[], violins: readonly Violin[]) {
  const learned = lines.filter(({ isFixed }) => !isFixed);
  const chosen = learned.length === 0 ? lines : learned;
  const drawn = drawnExtent(chosen.map(({ series }) => series)) ?? [2, 2];
  const neurons = violins.flatMap(({ taus: [low = 2, ...rest] }) => [low, rest.at(-1) ?? low]);
  const learnedExtent = [Math.min(drawn[0], ...neurons), Math.max(drawn[1], ...neurons)] as const;
  const extent = lines.reduce<readonly [number, number]>((before, { series }) => {
    const [low, high] = drawnExtent([series]) ?? before;
    const wider = [Math.min(before[0], low), Math.max(before[1], high)] as const;
    const isNear = wider[1] - wider[0] <= STRETCH_AT_MOST * (learnedExtent[1] - learnedExtent[0]);
    return isNear ? wider : before;
  }, learnedExtent);
  const scale = extent[1] > LOGARITHMIC_FROM * extent[0] ? ('log' as const) : ('linear' as const);
  const domain = scale === 'log' ? ([extent[0] / 1.05, extent[1] * 1.05] as const) : padded(extent);
  const outside = lines.filter(({ series }) => {
    const [low, high] = drawnExtent([series]) ?? domain;
    return low < domain[0] || high > domain[1];
  });
  return { scale, domain, outside: outside.map(({ label }) => label) };
}

/** Spiking layers of the deepest model; 0 if no training recorded time constants. */
export function countLayers(results: Results): number {
  return Math.max(...allRuns(results).map(({ metrics }) => metrics.layers.length));
}

/** In the models' own colours, because a panel may have lines of four models. */
function drawReference(results: Results, layer: number, lastEpoch: number): TauLine[] {
  return results.models.flatMap((model, index): TauLine[] => {
    const series = buildPointSeries(tauReferenceOf(results, model)[layer] ?? [], false, lastEpoch);
    return series.line.length === 0
      ? []
      : [
          {
            label: nameReferenceLine(model.title),
            series,
            color: modelColor(index),
            mark: 'thin-dashed',
            isFixed: false,
          },
        ];
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
  return buildSeries(runs, ({ metrics }) => metrics.layers[layer]?.tauOfMean ?? [], {
    smoothed: false,
    bounds: [1, Number.POSITIVE_INFINITY],
  });
}

function distributionsOf({ runs }: ModelResult, layer: number, state: TauState): TauQuantiles[] {
  return runs.flatMap(({ layers }) => layers[layer]?.taus[state] ?? []);
}

/** The neurons of all seeds (each seed has equally many); nothing if all τ are equal. */
function violinOf(model: ModelResult, index: number, layer: number): Violin[] {
  const wide = distributionsOf(model, layer, 'last').filter(
    ({ taus }) => (taus.at(-1) ?? 0) - (taus[0] ?? 0) >= LEAST_SPREAD,
  );
  if (wide.length === 0) return [];
  return [
    {
      title: model.title,
      color: colorVariable(modelColor(index)),
      taus: wide.flatMap(({ taus }) => taus).sort((a, b) => a - b),
      inner: wide.flatMap(({ taus }) => taus.slice(1, -1)),
    },
  ];
}

function hasDistribution({ runs }: ModelResult): boolean {
  return runs.some(({ layers }) => layers.some(({ taus }) => taus.last.count > 1));
}

function describeSeeds({ seeds }: Results): string[] {
  if (seeds.length === 1) return [];
  return [`Lines are means over ${seeds.length} seeds, bands the ${describeBand(seeds.length)}.`];
}

function describeViolins({ seeds }: Results): string {
  return [
    'Violins behind the last epoch show 1/sigmoid(w) of single neurons. Their width is the share of neurons with that τ (kernel density from the 1st to the 99th percentile; all violins are equally wide). The bar spans the quartiles, the dot is the median, and the thin line spans all τ. A layer with a single τ has no violin.',
    ...(seeds.length > 1 ? [`They have the neurons of all ${seeds.length} seeds.`] : []),
  ].join(' ');
}

/** A domain with a margin of one twentieth on each side, and at least 0.2 time steps high. */
function padded([low, high]: readonly [number, number]): [number, number] {
  const air = Math.max((high - low) * 0.05, (0.2 - (high - low)) / 2);
  return [low - air, high + air];
}

/** As many decimals as tell the labels apart: about five on an axis, so 0.05 apart on one of less than 0.5. */
function formatOf([low, high]: readonly [number, number]): string {
  return high - low < 0.5 ? '.2f' : '.1f';
}

function describeEnd(model: ModelResult, layers: number): string {
  const ends = Array.from({ length: layers }, (_, layer) => {
    const value = buildTauSeries(model, layer)?.line.at(-1)?.value;
    return value === undefined ? 'unknown' : value.toFixed(2);
  });
  return `${model.title} ends at ${ends.join(', ')}.`;
}

function describeNeurons(model: ModelResult, layers: number): string {
  const parts = Array.from({ length: layers }, (_, layer) => {
    const taus = distributionsOf(model, layer, 'last')
      .flatMap((one) => one.taus)
      .sort((a, b) => a - b);
    const [low, median, high] = [0, 0.5, 1].map((share) =>
      (taus[Math.round(share * (taus.length - 1))] ?? Number.NaN).toFixed(2),
    );
    if (taus.length === 0) return 'none';
    return low === high ? `${median}` : `${median} (${low} to ${high})`;
  });
  return `Violins of ${model.title}’s neurons after the last epoch, median and range: ${parts.join(', ')}.`;
}

/** One row per layer and epoch; then one per quantile over the neurons after the last epoch, and at the chosen one. */
function tauTable(results: Results): CsvValue[][] {
  const rows: CsvValue[][] = [
    ['model', 'seed', 'layer', 'epoch', 'quantile', 'tau', 'tau_mean', 'tau_std', 'source'],
  ];
  for (const model of results.models) {
    for (const { seed, metrics, chosenEpoch, layers } of model.runs) {
      metrics.layers.forEach(({ tauOfMean, tauMean, tauStd }, layer) => {
        metrics.epochs.forEach((epoch, i) => {
          const values = [tauOfMean[i] ?? null, tauMean[i] ?? null, tauStd[i] ?? null];
          rows.push([model.id, seed, layer + 1, epoch, null, ...values, 'run']);
        });
      });
      const lastEpoch = metrics.epochs.at(-1) ?? 0;
      layers.forEach(({ taus }, layer) => {
        const states = chosenEpoch === lastEpoch ? (['last'] as const) : (['last', 'chosen'] as const);
        for (const state of states) {
          const epoch = state === 'last' ? lastEpoch : chosenEpoch;
          // A single τ is in the row of its epoch.
          if (taus[state].taus.length === 1) continue;
          taus[state].taus.forEach((tau, i, { length }) => {
            rows.push([model.id, seed, layer + 1, epoch, i / (length - 1), tau, null, null, 'run']);
          });
        }
      });
    }
    tauReferenceOf(results, model).forEach((points, layer) => {
      for (const { epoch, value } of points) {
        rows.push([model.id, null, layer + 1, epoch, null, value, null, null, 'authors']);
      }
    });
  }
  return rows;
}
