import { nameEpoch } from './choice.ts';
import type { Table } from './document.ts';
import { countLayers } from './figures/tau.ts';
import { formatPercent } from './format.ts';
import type { Results } from './results.ts';

/** The spike density of each layer on the test clips, at the chosen epoch. */
export function tabulateSpikes(results: Results): Table {
  const layers = Array.from({ length: countLayers(results) }, (_, layer) => layer);
  const several = results.seeds.length > 1;
  return {
    id: 'table-spikes',
    caption: `Spike density on the test clips, at the ${nameEpoch(results.models)}`,
    columns: [{ label: 'Model' }, ...layers.map((layer) => ({ label: `Layer ${layer + 1}`, numeric: true }))],
    rows: results.models.map(({ title, runs }) => [
      { text: title },
      ...layers.map((layer) => {
        const rates = runs.flatMap(({ layers: ofRun }) => ofRun[layer]?.spikeRate ?? []);
        if (rates.length === 0) return { text: '–', tone: 'missing' as const };
        return { text: formatPercent(rates.reduce((sum, rate) => sum + rate, 0) / rates.length) };
      }),
    ]),
    notes: [
      [
        `Share of the layer’s neurons that spike in a time step, without dropout${several ? `; means over ${results.seeds.length} seeds` : ''}. In training, dropout and the other batches change it.`,
      ],
    ],
  };
}
