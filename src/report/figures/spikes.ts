import { summarise } from '../../stats/means.ts';
import { describeEpochs } from '../data/epochs.ts';
import { formatShare } from '../data/format.ts';
import type { ModelResult, Results } from '../data/results.ts';
import type { Figure } from '../drawing/figure.ts';
import { type Curves, composeCurves, modelLegend, modelLines, smoothingOf } from './curves.ts';
import { drawnExtent } from './epoch-series.ts';
import { tabulateRuns } from './run-table.ts';
import { countLayers } from './tau.ts';

/** The share of each layer's neurons that spike per step, over the epochs: one panel per layer, one line per model. */
export function drawSpikes(results: Results): Figure {
  const layers = Array.from({ length: countLayers(results) }, (_, layer) => layer);
  const curves: Curves = {
    id: 'spikes',
    title: 'Spike density of each layer over epochs',
    caption:
      'Share of a layer’s neurons that spike in a time step, over the training batches of each epoch. One panel per spiking layer, counted from the input, each with its own scale.',
    alt: [
      `Line plots of the spike density over ${describeEpochs(results)}, one for each of ${layers.length} spiking layers.`,
      ...results.models.map(
        (model) => `${model.title} ends at ${layers.map((layer) => describeEnd(model, layer)).join(', ')}.`,
      ),
    ].join(' '),
    bounds: [0, 1],
  };
  const options = smoothingOf(results, curves);
  return composeCurves(results, curves, {
    panels: layers.map((layer) => {
      const lines = modelLines(
        results,
        ({ metrics }) => metrics.layers[layer]?.spikeRate ?? [],
        () => [],
        options,
      );
      const [, highest] = drawnExtent(lines.map(({ series }) => series)) ?? [0, 1];
      return {
        title: `Layer ${layer + 1}`,
        lines,
        axis: {
          domain: [0, highest > 0 ? Math.min(1, highest * 1.05) : 1],
          axisTitle: 'spikes per step',
          format: highest < 0.04 ? 'fine-percent' : 'percent',
        },
      };
    }),
    logs: null,
    legend: modelLegend(results),
    columns: 3,
    size: { width: 320, height: 190 },
    // In training, by epoch; then on the test clips at the chosen epoch.
    data: tabulateRuns(
      results,
      ['layer', 'epoch', 'split', 'spike_density'],
      ({ metrics, layers: measured, chosenEpoch }) => [
        ...metrics.layers.flatMap(({ spikeRate }, layer) =>
          metrics.epochs.map((epoch, i) => [layer + 1, epoch, 'train', spikeRate[i] ?? null]),
        ),
        ...measured.map(({ spikeRate }, layer) => [layer + 1, chosenEpoch, 'test', spikeRate]),
      ],
    ),
  });
}

function describeEnd({ runs }: ModelResult, layer: number): string {
  const values = runs.flatMap(({ metrics }) => metrics.layers[layer]?.spikeRate.at(-1) ?? []);
  return values.length === 0 ? 'unknown' : formatShare(summarise(values).mean);
}
