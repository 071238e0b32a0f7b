import type { TauQuantiles, TauState } from '../../results/tau-file.ts';
import { allRuns, describeEpochs } from '../data/epochs.ts';
import { joinWords, present, sentences } from '../data/format.ts';
import { describeCoverage, tauReferenceOf } from '../data/reference.ts';
import type { ModelResult, Results } from '../data/results.ts';
import type { CsvValue, Figure } from '../drawing/figure.ts';
import { colorVariable, modelColor } from '../drawing/palette.ts';
import { composeCurves, modelLegend, modelLines, nameModelLogs } from './curves.ts';
import type { EpochLine, ValueAxis, Violin } from './epoch-panel.ts';
import { drawnExtent } from './epoch-series.ts';
import { tabulateRuns } from './run-table.ts';

/** From this ratio of the largest to the smallest τ on, a linear scale would hide how small τ move. */
export const LOGARITHMIC_FROM = 4;

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
  const { models, seeds } = results;
  const layers = Array.from({ length: countLayers(results) }, (_, layer) => layer);
  const fixed = models.map(fixedTau);
  const learns = (title: string) => models.every((model, i) => model.title !== title || fixed[i] === null);
  const bounds = [1, Infinity] as const;
  const panels = layers.map((layer) => {
    const lines = modelLines(
      results,
      ({ metrics }) => metrics.layers[layer]?.tauOfMean ?? [],
      (model) => tauReferenceOf(results, model)[layer] ?? [],
      { window: null, bounds },
    );
    const violins = models.flatMap((model, index) => violinOf(model, index, layer));
    return { title: `Layer ${layer + 1}`, lines, violins, ...chooseAxis(lines, violins, learns) };
  });
  const logged = models.some((model) => tauReferenceOf(results, model).length > 0);
  const spread = models.filter(({ runs }) =>
    runs.some((run) => run.layers.some(({ taus }) => taus.last.count > 1)),
  );
  const cut = models.filter(({ title }) => panels.some(({ outside }) => outside.includes(title)));
  const hasViolins = panels.some(({ violins }) => violins.length > 0);
  const lines =
    spread.length > 0
      ? 'Lines are τ at the mean of w over the layer, 1/sigmoid(mean w), as in the thesis; where neurons differ, the mean of τ is slightly larger.'
      : 'Lines are 1/sigmoid(w) of the layer.';
  const caption = sentences(
    `τ in time steps, one panel per spiking layer, counted from the input, each with its own scale. ${lines}`,
    cut.length > 0 &&
      `${joinWords(cut.map(({ title }) => title))}: τ is fixed. Where it is outside the scale of the others, see the CSV file.`,
    panels.some(({ axis }) => axis.scale === 'log') &&
      'Where the largest τ is more than four times the smallest, the scale is logarithmic.',
  );
  const violins =
    'Violins behind the last epoch show 1/sigmoid(w) of single neurons, or channels that share a τ. Their width is the share of them with that τ (kernel density from the 1st to the 99th percentile; all are equally wide). The bar spans the quartiles, the thin line all τ; the dot is the median. A layer with a single τ has no violin.';
  const alt = sentences(
    `Line plots of the membrane time constant over ${describeEpochs(results)}, one for each of ${layers.length} spiking layers.`,
    ...models.map(({ title }) => {
      const ends = panels.map(({ lines }) => lines.find(({ label }) => label === title)?.series.line.at(-1));
      return `${title} ends at ${ends.map((end) => end?.value.toFixed(2) ?? 'unknown').join(', ')}.`;
    }),
    ...spread.map((model) => describeNeurons(model, layers)),
    logged && describeReference(results),
  );
  const title = `Membrane time constants over epochs${hasViolins ? ', and of single neurons at the end' : ''}`;
  return composeCurves(
    results,
    { id: 'tau', title, caption, alt, bounds, window: null },
    {
      panels,
      notes: present(
        hasViolins && violins,
        hasViolins && seeds.length > 1 && `They have the neurons of all ${seeds.length} seeds.`,
      ),
      logs: logged ? nameModelLogs(results, false) : null,
      legend: modelLegend(
        results,
        fixed.map((tau) => (tau === null ? '' : ` (τ fixed at ${Number(tau.toPrecision(3))})`)),
      ),
      columns: 2,
      size: { width: 440, height: 220 },
      data: tabulateTau(results),
    },
  );
}

/** The τ of neurons that do not learn it; null if they do. */
function fixedTau({ runs }: ModelResult): number | null {
  const [run] = runs;
  if (run?.network.neuron !== 'lif') return null;
  return run.metrics.layers[0]?.tauOfMean.findLast((tau) => tau !== null) ?? null;
}

/**
 * The axis of a panel. It fits the learned τ, if there are any. A fixed τ counts only if it is near them, because one far away would leave
 * them no room.
 *
 * @returns also the titles of the models that are outside of it
 */
function chooseAxis(
  lines: readonly EpochLine[],
  violins: readonly Violin[],
  learns: (title: string) => boolean,
): { readonly axis: ValueAxis; readonly outside: readonly string[] } {
  const extentOf = (some: readonly EpochLine[]) => drawnExtent(some.map(({ series }) => series));
  const learned = lines.filter(({ label, series }) => series.line.length > 0 && learns(label));
  const drawn = extentOf(learned.length === 0 ? lines : learned) ?? [2, 2];
  const neurons = violins.flatMap(({ taus }) => [taus[0] ?? 2, taus.at(-1) ?? 2]);
  const learnedExtent = [Math.min(drawn[0], ...neurons), Math.max(drawn[1], ...neurons)] as const;
  const [low, high] = lines.reduce<readonly [number, number]>((before, line) => {
    const own = extentOf([line]) ?? before;
    const wider = [Math.min(before[0], own[0]), Math.max(before[1], own[1])] as const;
    const isNear = wider[1] - wider[0] <= STRETCH_AT_MOST * (learnedExtent[1] - learnedExtent[0]);
    return isNear ? wider : before;
  }, learnedExtent);
  const isLog = high > LOGARITHMIC_FROM * low;
  // A margin of one twentieth on each side, and at least 0.2 time steps high.
  const air = Math.max((high - low) * 0.05, (0.2 - (high - low)) / 2);
  const domain = isLog ? ([low / 1.05, high * 1.05] as const) : ([low - air, high + air] as const);
  const outside = lines.filter((line) => {
    const [lowest, highest] = extentOf([line]) ?? domain;
    return lowest < domain[0] || highest > domain[1];
  });
  // As many decimals as tell about five labels apart.
  const decimals = domain[1] - domain[0] < 0.5 ? '.2f' : '.1f';
  return {
    axis: {
      domain,
      axisTitle: 'τ, time steps',
      scale: isLog ? 'log' : 'linear',
      format: isLog ? '~g' : decimals,
      clip: outside.length > 0,
    },
    outside: outside.map(({ label }) => label),
  };
}

/** Spiking layers of the deepest model; 0 if no training recorded time constants. */
export function countLayers(results: Results): number {
  return Math.max(...allRuns(results).map(({ metrics }) => metrics.layers.length));
}

function describeReference(results: Results): string {
  const ends = results.models.flatMap((model) => {
    const tau = tauReferenceOf(results, model);
    const values = tau.map((points) => points.at(-1)?.value.toFixed(2) ?? 'unknown');
    return tau.length === 0 ? [] : [`${model.title} ends at ${values.join(', ')}`];
  });
  return `Thin dashed lines show the authors’ logs: ${describeCoverage(results)}. In them ${ends.join('; ')}.`;
}

function distributionsOf({ runs }: ModelResult, layer: number, state: TauState): TauQuantiles[] {
  return runs.flatMap(({ layers }) => layers[layer]?.taus[state] ?? []);
}

/** The τ of a layer after the last epoch, of each seed in which they differ. */
export function spreadOf(model: ModelResult, layer: number): TauQuantiles[] {
  return distributionsOf(model, layer, 'last').filter(
    ({ taus }) => (taus.at(-1) ?? 0) - (taus[0] ?? 0) >= LEAST_SPREAD,
  );
}

/** The neurons of all seeds (each seed has equally many); nothing if all τ are equal. */
function violinOf(model: ModelResult, index: number, layer: number): Violin[] {
  const wide = spreadOf(model, layer);
  if (wide.length === 0) return [];
  return [
    {
      color: colorVariable(modelColor(index)),
      taus: wide.flatMap(({ taus }) => taus).sort((a, b) => a - b),
      inner: wide.flatMap(({ taus }) => taus.slice(1, -1)),
    },
  ];
}

function describeNeurons(model: ModelResult, layers: readonly number[]): string {
  const parts = layers.map((layer) => {
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
function tabulateTau(results: Results): CsvValue[][] {
  return tabulateRuns(
    results,
    ['layer', 'epoch', 'quantile', 'tau', 'tau_mean', 'tau_std', 'source'],
    ({ metrics: { epochs, layers: curves }, chosenEpoch, layers }) => {
      const lastEpoch = epochs.at(-1) ?? 0;
      const states = chosenEpoch === lastEpoch ? (['last'] as const) : (['last', 'chosen'] as const);
      return [
        ...curves.flatMap(({ tauOfMean, tauMean, tauStd }, layer) =>
          epochs.map((epoch, i) => {
            const values = [tauOfMean[i] ?? null, tauMean[i] ?? null, tauStd[i] ?? null];
            return [layer + 1, epoch, null, ...values, 'run'];
          }),
        ),
        ...layers.flatMap(({ taus }, layer) =>
          states.flatMap((state) => {
            const epoch = state === 'last' ? lastEpoch : chosenEpoch;
            const list = taus[state].taus;
            // A single τ is in the row of its epoch.
            if (list.length === 1) return [];
            return list.map((tau, i) => [layer + 1, epoch, i / (list.length - 1), tau, null, null, 'run']);
          }),
        ),
      ];
    },
    (model) =>
      tauReferenceOf(results, model).flatMap((points, layer) =>
        points.map(({ epoch, value }) => [layer + 1, epoch, null, value, null, null, 'authors']),
      ),
  );
}
