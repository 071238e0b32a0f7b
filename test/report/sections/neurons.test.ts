import { expect, it } from 'vitest';
import { tabulateSpikes } from '../../../src/report/sections/neurons.ts';
import { makeLayerResult, makeModelResult, makeResults, makeRunResult } from '../result-values.ts';

it('the spike density is tabulated by layer as the mean over seeds, with a dash where a network is shallower', () => {
  const rate = (spikeRate: number) => ({ ...makeLayerResult(), spikeRate });
  const metrics = makeRunResult().metrics;
  const [layer] = metrics.layers;
  if (layer === undefined) throw new Error('the run has a layer');
  const deep = { ...metrics, layers: [layer, layer] };
  const runs = [
    makeRunResult({ metrics: deep, layers: [rate(0.1), rate(0.2)] }),
    makeRunResult({ metrics: deep, layers: [rate(0.3), rate(0.4)] }),
  ];
  const models = [makeModelResult({ runs }), makeModelResult({ id: 'shallow' })];
  const { rows } = tabulateSpikes(makeResults({ seeds: [1, 2], models }));
  expect(rows.map((row) => row.map(({ text }) => text.replaceAll('\u00a0', ' ')))).toEqual([
    ['Baseline', '20.0 %', '30.0 %'],
    ['Baseline', '6.3 %', '–'],
  ]);
});
