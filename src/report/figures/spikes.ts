import { summarise } from '../../stats/means.ts';
import { allRuns, axisRange, describeEpochs } from '../data/epochs.ts';
import { formatPercent } from '../data/format.ts';
import type { ModelResult, Results } from '../data/results.ts';
import type { CsvValue, Figure } from '../drawing/figure.ts';
import { modelColor } from '../drawing/palette.ts';
import { drawEpochPanel, type EpochLine } from './epoch-panel.ts';
import { buildSeries, drawnExtent, isSmoothed } from './epoch-series.ts';
import { describeLines, listModels, listSeedBand } from './epoch-words.ts';
import { countLayers } from './tau.ts';

/** The share of each layer's neurons that spike per step, over the epochs: one panel per layer, one line per model. */
export function drawSpikes(results: Results): Figure {
  const smoothed = isSmoothed(allRuns(results));
  const epochs = axisRange(results);
  const layers = countLayers(results);
  const panels = Array.from({ length: layers }, (_, layer) =>
    results.models.flatMap((model, index): EpochLine[] => {
      const runs = model.runs.filter(({ metrics }) => metrics.layers[layer] !== undefined);
      if (runs.length === 0) return [];
      const series = buildSeries(runs, ({ metrics }) => metrics.layers[layer]?.spikeRate ?? [], {
        smoothed,
        bounds: [0, 1],
      });
      return [{ label: model.title, series, color: modelColor(index), mark: 'line' }];
    }),
  );
  return {
    id: 'spikes',
    title: 'Spike density of each layer over epochs',
    caption: [
      'Share of a layer’s neurons that spike in a time step, over the training batches of each epoch; one panel per spiking layer, counted from the input, each with its own scale.',
      ...describeLines(results, smoothed),
    ].join(' '),
    alt: [
      `Line plots of the spike density over ${describeEpochs(results)}, one for each of ${layers} spiking layers.`,
      ...results.models.map((model) => describeEnd(model, layers)),
    ].join(' '),
    legend: [...listModels(results), ...listSeedBand(results)],
    columns: 3,
    panels: panels.map((lines, layer) => {
      const [, highest] = drawnExtent(lines.map(({ series }) => series)) ?? [0, 1];
      return drawEpochPanel({
        title: `Layer ${layer + 1}`,
        lines,
        epochs,
        domain: [0, highest > 0 ? Math.min(1, highest * 1.05) : 1],
        axisTitle: 'spikes per step',
        format: highest < 0.04 ? 'fine-percent' : 'percent',
        size: { width: 320, height: 190 },
      });
    }),
    data: tabulate(results),
  };
}

function describeEnd(model: ModelResult, layers: number): string {
  const ends = Array.from({ length: layers }, (_, layer) => {
    const values = model.runs.flatMap(({ metrics }) => metrics.layers[layer]?.spikeRate.at(-1) ?? []);
    if (values.length === 0) return 'unknown';
    return formatPercent(summarise(values).mean);
  });
  return `${model.title} ends at ${ends.join(', ')}.`;
}

/** One row per model, seed, layer and epoch in training; then that of the test clips at the chosen epoch. */
function tabulate(results: Results): CsvValue[][] {
  const rows: CsvValue[][] = [['model', 'seed', 'layer', 'epoch', 'split', 'spike_density']];
  for (const { id, runs } of results.models) {
    for (const { seed, metrics, layers, chosenEpoch } of runs) {
      metrics.layers.forEach(({ spikeRate }, layer) => {
        metrics.epochs.forEach((epoch, i) => {
          rows.push([id, seed, layer + 1, epoch, 'train', spikeRate[i] ?? null]);
        });
      });
      layers.forEach(({ spikeRate }, layer) => {
        rows.push([id, seed, layer + 1, chosenEpoch, 'test', spikeRate]);
      });
    }
  }
  return rows;
}
