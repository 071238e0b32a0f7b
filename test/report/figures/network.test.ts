import { describe, expect, it } from 'vitest';
import { buildNetwork, type NetworkConfig } from '../../../src/network/networks.ts';
import { renderFigure } from '../../../src/report/drawing/render.ts';
import { drawNetwork } from '../../../src/report/figures/network.ts';
import { thesisNetwork } from '../../support/thesis-network.ts';
import { makeModelResult, makeResults, makeRunResult } from '../result-values.ts';

const modelOf = (id: string, config: NetworkConfig) =>
  makeModelResult({
    id,
    title: id,
    runs: [makeRunResult({ spec: buildNetwork(config) })],
  });
const draw = (...models: readonly ReturnType<typeof modelOf>[]) => drawNetwork(makeResults({ models }));
const textsOf = (svg = ''): string[] =>
  [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text]) => text ?? '');

describe('the drawing of the network', () => {
  it('has every layer of the thesis’ network with its name, and the sizes between the rows', async () => {
    const figure = draw(modelOf('baseline', thesisNetwork));
    const texts = textsOf((await renderFigure(figure, null)).panels[0]);
    expect(texts.filter((text) => text.startsWith('conv.') || text.startsWith('fc.'))).toHaveLength(19);
    const sizes = texts.filter((text) => text.includes('['));
    expect(sizes).toEqual([
      'input [20, 2, 128, 128]',
      '[20, 128, 64, 64]',
      '[20, 128, 32, 32]',
      '[20, 128, 16, 16]',
      '[20, 128, 8, 8]',
      '[20, 128, 4, 4]',
      '[20, 512]',
      'class scores [11]',
    ]);
    expect(figure.data).toContainEqual(['baseline', 27, 'fc.6', 'neuron', 'PLIF, layer 7', '[20, 110]']);
    expect(figure.data).toContainEqual(['baseline', 21, null, 'flatten', 'flatten', '[20, 2048]']);
    expect(figure.alt).toContain('dropout 0.5, linear → 110 (fc.5), PLIF, layer 7 (fc.6)');
  });

  it('is one for models that differ in τ alone, and one for each other network', () => {
    const perNeuron = modelOf('no-reg', { ...thesisNetwork, tau: { per: 'neuron', mean: 2, std: 0.1 } });
    const lif = modelOf('lif', { ...thesisNetwork, neuron: 'lif' });
    expect(draw(modelOf('baseline', thesisNetwork), perNeuron).panels).toHaveLength(1);
    const { panels, data } = draw(modelOf('baseline', thesisNetwork), lif, perNeuron);
    expect(panels.map(({ title }) => title)).toEqual(['baseline, no-reg', 'lif']);
    expect(data).toContainEqual(['lif', 3, 'conv.2', 'neuron', 'LIF, layer 1', '[20, 128, 128, 128]']);
  });
});
