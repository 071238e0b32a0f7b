import { allRuns, describeEpochs } from '../data/epochs.ts';
import { present, sentences } from '../data/format.ts';
import { describeCoverage, tauReferenceOf } from '../data/reference.ts';
import type { ModelResult, Results } from '../data/results.ts';
import type { Figure } from '../drawing/figure.ts';
import { composeCurves, modelLegend, modelLines, nameModelLogs } from './curves.ts';
import { drawnExtent, type EpochLine, type ValueAxis } from './epoch-panel.ts';
import { tabulateRuns } from './run-table.ts';

/** From this ratio of the largest to the smallest τ on, a linear scale would hide how small τ move. */
export const LOGARITHMIC_FROM = 4;

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
        const ends = panels.map(({ lines }) =>
          lines.find(({ label }) => label === title)?.series.line.at(-1),
        );
        return `${title} ends at ${ends.map((end) => end?.value.toFixed(2) ?? 'unknown').join(', ')}.`;
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
    const values = tau.map((points) => points.at(-1)?.value.toFixed(2) ?? 'unknown');
    return tau.length === 0 ? [] : [`${model.title} ends at ${values.join(', ')}`];
  });
  return `Thin dashed lines show the authors’ logs: ${describeCoverage(results)}. In them ${ends.join('; ')}.`;
}
