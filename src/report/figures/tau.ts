import type { TauQuantiles } from '../../results/tau-file.ts';
import { summarise } from '../../verdicts/stats/means.ts';
import { present, sentences } from '../../verdicts/words.ts';
import { allRuns, describeEpochs } from '../data/epochs.ts';
import { describeCoverage, tauReferenceOf } from '../data/reference.ts';
import type { ModelResult, Results } from '../data/results.ts';
import type { Figure, Panel } from '../drawing/figure.ts';
import { colorVariable, linearAxis, logTicks, modelColor, PERCENT_LABELS } from '../drawing/theme.ts';
import { composeCurves, modelLegend, modelLines, nameModelLogs } from './curves.ts';
import { drawnExtent, type EpochLine, type ValueAxis } from './epoch-panel.ts';
import { tabulateRuns } from './run-table.ts';

/** From this ratio of the largest to the smallest τ on, a linear scale would hide how small τ move. */
const LOGARITHMIC_FROM = 4;

/**
 * Membrane time constant of each layer over the epochs: one panel per layer, one line per model.
 *
 * @see Pazderka 2024, figure 1
 */
export function drawTau(results: Results): Figure {
  const { models } = results;
  const layers = Array.from({ length: countLayers(results) }, (_, layer) => layer);
  const fixed = models.map(fixedTau);
  const panels = layers.map((layer) => {
    const lines = modelLines(
      results,
      ({ metrics }) => metrics.layers[layer]?.tauOfMean ?? [],
      (model) => tauReferenceOf(results, model)[layer] ?? [],
      { window: null, bounds: [1, Infinity] },
    );
    return { title: `Layer ${layer + 1}`, lines, axis: chooseAxis(lines) };
  });
  const logged = models.some((model) => tauReferenceOf(results, model).length > 0);
  const differs = models.some(({ runs }) =>
    runs.some((run) => run.layers.some(({ taus }) => taus.count > 1)),
  );
  return composeCurves(results, {
    id: 'tau',
    title: 'Membrane time constants over epochs',
    caption: sentences(
      'τ in time steps, one panel per spiking layer, counted from the input, each with its own scale.',
      differs
        ? 'Lines are τ at the mean of w over the layer, 1/sigmoid(mean w), as in the thesis; where neurons differ, the mean of τ is slightly larger.'
        : 'Lines are 1/sigmoid(w) of the layer.',
      panels.some(({ axis }) => axis.scale === 'log') &&
        'Where the largest τ is more than four times the smallest, the scale is logarithmic.',
    ),
    alt: sentences(
      `Line plots of the membrane time constant over ${describeEpochs(results)}, one for each of ${layers.length} spiking layers.`,
      ...models.map(({ title }) => {
        const own = panels.flatMap(({ lines }) => lines.find(({ label }) => label === title) ?? []);
        const ends = own.flatMap(({ series }) => series.line.at(-1)?.value.toFixed(2) ?? []);
        return ends.length > 0 && `${title} ends at ${ends.join(', ')}.`;
      }),
      logged && describeReference(results),
    ),
    panels,
    isSmoothed: false,
    notes: present(logged && nameModelLogs(results, false)),
    legend: modelLegend(
      results,
      fixed.map((tau) => (tau === null ? '' : ` (τ fixed at ${Number(tau.toPrecision(3))})`)),
    ),
    columns: 2,
    size: { width: 440, height: 220 },
    data: tabulateRuns(
      results,
      ['layer', 'epoch', 'tau', 'tau_mean', 'tau_std', 'source'],
      ({ metrics: { epochs, layers: curves } }) =>
        curves.flatMap(({ tauOfMean, tauMean, tauStd }, layer) =>
          epochs.map((epoch, i) => [
            ...[layer + 1, epoch, tauOfMean[i] ?? null, tauMean[i] ?? null, tauStd[i] ?? null, 'run'],
          ]),
        ),
      (model) =>
        tauReferenceOf(results, model).flatMap((points, layer) =>
          points.map(({ epoch, value }) => [layer + 1, epoch, value, null, null, 'authors']),
        ),
    ),
  });
}

/** The τ of neurons that do not learn it; null if they do. */
function fixedTau({ runs }: ModelResult): number | null {
  const [run] = runs;
  if (run?.network.neuron !== 'lif') return null;
  return run.metrics.layers[0]?.tauOfMean.findLast((tau) => tau !== null) ?? null;
}

/** The axis of a panel: logarithmic where τ are far apart, such as a fixed one of 16 from learned ones. */
function chooseAxis(lines: readonly EpochLine[]): ValueAxis {
  const [low, high] = drawnExtent(lines.map(({ series }) => series)) ?? [2, 2];
  const axisTitle = 'τ, time steps';
  if (high > LOGARITHMIC_FROM * low)
    return { domain: [low / 1.05, high * 1.05], axisTitle, scale: 'log', format: '~g' };
  // A margin of one twentieth on each side, and at least 0.2 time steps high.
  const air = Math.max((high - low) * 0.05, (0.2 - (high - low)) / 2);
  // As many decimals as tell about five labels apart.
  const format = high - low + 2 * air < 0.5 ? '.2f' : '.1f';
  return { domain: [low - air, high + air], axisTitle, format };
}

/** Spiking layers of the deepest model; 0 if no training recorded time constants. */
export function countLayers(results: Results): number {
  return Math.max(...allRuns(results).map(({ metrics }) => metrics.layers.length));
}

function describeReference(results: Results): string {
  const ends = results.models.flatMap((model) => {
    const tau = tauReferenceOf(results, model);
    const values = tau.flatMap((points) => points.at(-1)?.value.toFixed(2) ?? []);
    return values.length === 0 ? [] : [`${model.title} ends at ${values.join(', ')}`];
  });
  return `Thin dashed lines show the authors’ logs: ${describeCoverage(results)}. In them ${ends.join('; ')}.`;
}

const SIZE = { width: 440, height: 200 };
const PADDING = { left: 62, right: 14, top: 30, bottom: 40 };

/** More would show the noise of the linear layers: they have about as many neurons as quantiles. */
const BINS = 20;

/** With less spread, in time steps, neurons have no distribution to draw: it would be a single peak. */
const LEAST_SPREAD = 1e-4;

/** The smaller of two groups has at least this share of the neurons: a few far ones are not a group. */
const SMALLEST_GROUP = 0.05;

/** From here on, what the division in two explains means two groups: an even spread of 110 neurons reaches it by chance once in 20 layers. */
export const GROUPS_FROM = 0.8;

/** With fewer neurons, chance alone looks like groups. */
export const FEWEST_NEURONS = 80;

/** The τ of a layer's neurons in one model: a histogram from the 1st to the 99th percentile, and whether it falls into two groups. */
interface Distribution {
  readonly model: string;
  readonly title: string;
  readonly color: string;
  /** From 1. */
  readonly layer: number;
  readonly bins: readonly { readonly from: number; readonly to: number; readonly share: number }[];
  readonly explained: number;
  /** In one seed. */
  readonly neurons: number;
}

/** The layers in which the neurons of a model differ in τ, after the last epoch; over all seeds. */
export function distributionsOfTau(results: Results): Distribution[] {
  return results.models.flatMap((model, index) =>
    Array.from({ length: countLayers(results) }, (_, layer) => layer).flatMap((layer) => {
      // Strong regularisers leave only a few neurons apart from all others.
      const spread = model.runs
        .flatMap(({ layers }) => layers[layer]?.taus ?? [])
        .filter(({ taus }) => taus.at(-1)! - taus[0]! >= LEAST_SPREAD && taus.at(-2)! > taus[1]!);
      if (spread.length === 0) return [];
      const seeds = spread.map(({ taus }) => taus);
      const low = Math.min(...seeds.map((taus) => taus[1]!));
      const high = Math.max(...seeds.map((taus) => taus.at(-2)!));
      // Equal steps of ln τ, as on the axis where it is logarithmic; over a narrow range, they are equal steps of τ.
      const edges = Array.from({ length: BINS + 1 }, (_, i) => settle(low * (high / low) ** (i / BINS)));
      const bins = edges.slice(1).map((to, i) => {
        const from = edges[i]!;
        return {
          from,
          to,
          share: summarise(seeds.map((taus) => shareBelow(taus, to) - shareBelow(taus, from))).mean,
        };
      });
      const { id, title } = model;
      const explained = summarise(seeds.map(explainByTwo)).mean;
      const neurons = spread[0]!.count;
      return [{ model: id, title, color: modelColor(index), layer: layer + 1, bins, explained, neurons }];
    }),
  );
}

/** Of the neurons with these quantiles of τ, the share below a value; between quantiles on a straight line. */
function shareBelow(taus: readonly number[], value: number): number {
  const above = taus.findIndex((tau) => tau > value);
  if (above < 0) return 1;
  if (above === 0) return 0;
  const [low, high] = [taus[above - 1]!, taus[above]!];
  return (above - 1 + (value - low) / (high - low)) / (taus.length - 1);
}

/**
 * The share of the variance of ln τ that the best division in two explains, the differences between the means of the groups: 65 % for a
 * normal distribution, 75 % for an even one, nearly all for two groups far apart. The extremes are left out: they are single neurons.
 */
export function explainByTwo(taus: TauQuantiles['taus']): number {
  const values = taus.slice(1, -1).map(Math.log);
  const all = summarise(values).mean;
  const total = values.reduce((sum, value) => sum + (value - all) ** 2, 0);
  const smallest = Math.ceil(SMALLEST_GROUP * values.length);
  let below = 0;
  let most = 0;
  for (const [i, value] of values.entries()) {
    below += value;
    const [count, rest] = [i + 1, values.length - i - 1];
    if (count < smallest || rest < smallest) continue;
    const between =
      count * (below / count - all) ** 2 + rest * ((all * values.length - below) / rest - all) ** 2;
    most = Math.max(most, between / total);
  }
  return most;
}

/** The τ of the neurons of each layer: one panel per layer, one outline per model; null if no model has several τ in a layer. */
export function drawTauNeurons(results: Results): Figure | null {
  const all = distributionsOfTau(results);
  if (all.length === 0) return null;
  const layers = [...new Set(all.map(({ layer }) => layer))].sort((a, b) => a - b);
  const drawn = new Set(all.map(({ title }) => title));
  return {
    id: 'tau-neurons',
    title: 'Time constants of the neurons in each layer, at the end',
    caption: sentences(
      'How many neurons (or channels that share a τ) have which τ after the last epoch, from the 1st to the 99th percentile. Each model’s outline is as high as its fullest bin, so heights compare within a model only. Groups of neurons would be separate hills.',
      results.seeds.length > 1 && `The neurons of all ${results.seeds.length} seeds together.`,
      drawn.size < results.models.length && 'A model with one τ in a layer has no outline.',
    ),
    alt: sentences(
      `Histograms of the time constants of single neurons, for each of ${layers.length} spiking layers.`,
      ...[...drawn].map((title) => {
        const bins = all.filter((one) => one.title === title).flatMap((one) => one.bins);
        const [from, to] = [bins.map((bin) => bin.from), bins.map((bin) => bin.to)];
        return `${title}: ${Math.min(...from).toFixed(2)} to ${Math.max(...to).toFixed(2)}.`;
      }),
    ),
    legend: modelLegend(results).filter(({ label }) => drawn.has(label)),
    columns: 2,
    panels: layers.map((layer) =>
      drawPanel(
        layer,
        all.filter((one) => one.layer === layer),
      ),
    ),
    data: [
      ['model', 'layer', 'tau_from', 'tau_to', 'share', 'explained_by_two'],
      ...all.flatMap(({ model, layer, bins, explained }) =>
        bins.map(({ from, to, share }) => [model, layer, from, to, share, explained]),
      ),
    ],
  };
}

function drawPanel(layer: number, found: readonly Distribution[]): Panel {
  const ends = [
    Math.min(...found.map(({ bins }) => bins[0]!.from)),
    Math.max(...found.map(({ bins }) => bins.at(-1)!.to)),
  ] as const;
  const air = settle((ends[1] / ends[0]) ** 0.03);
  const [low, high] = [ends[0] / air, ends[1] * air];
  const ticks = high > LOGARITHMIC_FROM * low ? logTicks([low, high]) : null;
  const title = 'τ, time steps';
  const x = linearAxis('tau', [low, high], {
    title,
    grid: false,
    ...(ticks === null ? { tickCount: 6 } : { values: ticks }),
  });
  const y = linearAxis('height', [0, 1.05], {
    title: 'of the fullest bin',
    titlePadding: 10,
    labelExpr: PERCENT_LABELS,
    tickCount: 3,
    maxExtent: 38,
    minExtent: 38,
  });
  return {
    title: `Layer ${layer}`,
    spec: {
      width: SIZE.width - PADDING.left - PADDING.right,
      height: SIZE.height - PADDING.top - PADDING.bottom,
      padding: PADDING,
      autosize: 'none',
      title: { text: `Layer ${layer}`, dx: -PADDING.left + 4 },
      layer: found.map(({ bins, color }) => {
        const highest = Math.max(...bins.map(({ share }) => share));
        const values = [
          { tau: bins[0]!.from, height: 0 },
          ...bins.map(({ from, share }) => ({ tau: from, height: share / highest })),
          { tau: bins.at(-1)!.to, height: 0 },
        ];
        const paint = colorVariable(color);
        return {
          data: { values },
          mark: {
            type: 'area' as const,
            interpolate: 'step-after' as const,
            color: paint,
            fillOpacity: 0.18,
            opacity: 1,
            line: { color: paint, strokeWidth: 1.4 },
          },
        };
      }),
      encoding: {
        x: ticks === null ? x : { ...x, scale: { type: 'log' as const, domain: [low, high], nice: false } },
        y,
      },
    },
    ...SIZE,
  };
}

/** Without the last digits of a power, which differ between versions of Node.js. */
function settle(value: number): number {
  return Number(value.toPrecision(9));
}
