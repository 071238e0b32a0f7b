import { beforeAll, describe, expect, it } from 'vitest';
import { formatCsv } from '../../src/formats/csv.ts';
import { summariseModels } from '../../src/report/data/outcome.ts';
import type { Results, RunResult } from '../../src/report/data/results.ts';
import type { Figure } from '../../src/report/drawing/figure.ts';
import { type RenderedFigure, renderFigure } from '../../src/report/drawing/render.ts';
import { drawConfusion } from '../../src/report/figures/confusion.ts';
import { windowOf } from '../../src/report/figures/curves.ts';
import { buildSeries } from '../../src/report/figures/epoch-panel.ts';
import { drawNetwork } from '../../src/report/figures/network.ts';
import { drawOutcomes } from '../../src/report/figures/outcomes.ts';
import { drawTau } from '../../src/report/figures/tau.ts';
import { tabulateSpikes } from '../../src/report/sections/neurons.ts';
import { drawAccuracy, drawAccuracyByModel, drawLoss } from '../../src/report/sections/training.ts';
import { makeModelResult, makeResults, makeRunResult, resultsOf } from './result-values.ts';

const draw = (results: Results): Figure[] => [
  drawOutcomes(summariseModels(results), 0.5, !results.simulated),
  drawAccuracyByModel(results),
  drawLoss(results),
  drawTau(results),
  drawConfusion(results),
  drawAccuracy(results),
  drawNetwork(results),
];

/** The texts in an SVG, in order. */
const textsOf = (svg: string): string[] =>
  [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text]) => text ?? '');

/** A run whose accuracies over `count` epochs are 0, 1, 0, 1, ... */
function longRun(count: number): RunResult {
  const values = Array.from({ length: count }, (_, index) => index % 2);
  const perSplit = { train: values, validation: values, test: values };
  const epochs = values.map((_, index) => index + 1);
  return makeRunResult({ metrics: { epochs, accuracy: perSplit, loss: perSplit, layers: [] } });
}

it('captions name dropout only where a network has it: those that do not say have it', () => {
  const captionsOf = (network: RunResult['network']) => {
    const results = makeResults({ models: [makeModelResult({ runs: [makeRunResult({ network })] })] });
    const { notes } = tabulateSpikes(results);
    return [drawAccuracyByModel(results).caption, drawLoss(results).caption, JSON.stringify(notes)];
  };
  for (const caption of captionsOf({})) expect(caption).toContain('with dropout');
  for (const caption of captionsOf({ dropout: 0.2 })) expect(caption).toContain('with dropout');
  for (const caption of captionsOf({ dropout: 0 })) expect(caption).not.toContain('dropout');
});

describe('figures', () => {
  /** Drawn once, since that takes most of the time. */
  const rendered = new Map<Figure, RenderedFigure>();
  beforeAll(async () => {
    for (const figure of draw(makeResults())) rendered.set(figure, await renderFigure(figure, null));
  });

  it('give the same bytes each time they are rendered', async () => {
    for (const [figure, first] of rendered) {
      const second = await renderFigure(figure, null);
      expect(second.sheet).toBe(first.sheet);
      expect(second.panels).toEqual(first.panels);
    }
  });

  it('follow the colours of the page, but have fixed ones as files', () => {
    for (const { panels, sheet } of rendered.values()) {
      expect(panels.join('')).toContain('currentColor');
      expect(panels.join('')).toContain('var(--');
      expect(sheet).not.toMatch(/currentColor|var\(--/);
      expect(sheet).toContain('fill="#ffffff"');
    }
  });

  it('show a warning as standalone files', async () => {
    const { sheet, panels } = await renderFigure(drawAccuracy(makeResults()), 'Simulated <data>');
    expect(textsOf(sheet)).toContain('Simulated &lt;data&gt;');
    expect(panels.join('')).not.toContain('Simulated');
  });

  it('contain no NaN for a single epoch, missing values or a diverged training', async () => {
    const gaps = makeRunResult({
      metrics: {
        epochs: [1],
        accuracy: { train: [null], validation: [0.5], test: [null] },
        loss: { train: [null], validation: [null], test: [null] },
        layers: [{ tauOfMean: [null], tauMean: [null], tauStd: [null], tauChange: [null] }],
      },
    });
    for (const figure of draw(makeResults({ models: [makeModelResult({ runs: [gaps] })] }))) {
      expect((await renderFigure(figure, null)).sheet).not.toMatch(/NaN|undefined|Infinity/);
    }
  });

  it('have one panel per model, or one per layer', () => {
    const models = ['a', 'b', 'c'].map((id) => makeModelResult({ id, title: id.toUpperCase() }));
    const [outcomes, accuracy, loss, tau, confusion] = draw(makeResults({ models }));
    expect(outcomes?.panels).toHaveLength(1);
    for (const figure of [accuracy, loss, confusion]) {
      expect(figure?.panels.map(({ title }) => title)).toEqual(['A', 'B', 'C']);
    }
    expect(tau?.panels.map(({ title }) => title)).toEqual(['Layer 1']);
  });
});

describe('the figure of outcomes', () => {
  const legend = (results: Results) => draw(results)[0]?.legend.map(({ label }) => label);

  it('shows published values, and a column of them, only if they are comparable', () => {
    expect(legend(makeResults())).toContain('published (maximum over epochs)');
    expect(legend(makeResults({ simulated: true }))).not.toContain('published (maximum over epochs)');
    const columns = (results: Results) => draw(results)[0]?.data.map((row) => row.length);
    expect(draw(makeResults())[0]?.data[0]?.at(-1)).toBe('published');
    expect(columns(makeResults())).toEqual(Array(5).fill(10));
    const other = makeResults({ simulated: true });
    expect(draw(other)[0]?.data[0]?.at(-1)).toBe('wilson_high');
    expect(columns(other)).toEqual(Array(5).fill(9));
  });
});

describe('the confusion matrices', () => {
  it('number columns and leave empty cells blank', async () => {
    const run = makeRunResult({
      confusion: [
        [50, 0],
        [10, 40],
      ],
    });
    const figure = drawConfusion(makeResults({ models: [makeModelResult({ runs: [run] })] }));
    const texts = textsOf((await renderFigure(figure, null)).panels[0] ?? '');
    expect(texts).toEqual(expect.arrayContaining(['wave 1', 'clap 2', '1', '2', '50', '10', '40']));
    expect(texts).not.toContain('0');
    expect(figure.alt).toContain(
      '90 of 100 clips correct, most frequent mistake: clap classified as wave, 10 times.',
    );
  });

  it('sum the clips over all seeds', () => {
    const results = makeResults({
      seeds: [1, 2],
      models: [makeModelResult({ runs: [makeRunResult({ seed: 1 }), makeRunResult({ seed: 2 })] })],
    });
    expect(drawConfusion(results).alt).toContain('180 of 200 clips correct');
  });
});

const SHARES = [0, 1] as const;
const testOf = ({ metrics }: RunResult) => metrics.accuracy.test;

describe('series over epochs', () => {
  it('are not smoothed for few epochs', () => {
    expect(windowOf(resultsOf(longRun(199)))).toBeNull();
    const series = buildSeries([makeRunResult()], testOf, { window: null, bounds: SHARES });
    expect(series.line.map(({ value }) => value)).toEqual([0.25, 0.5, 0.75]);
    expect(series.raw).toEqual([]);
    expect(series.band).toEqual([]);
  });

  it('become moving means over 64 epochs if there are many, with the values behind them', () => {
    const run = longRun(300);
    expect(windowOf(resultsOf(run))).toBe(64);
    const { line, raw } = buildSeries([run], testOf, { window: 64, bounds: SHARES });
    expect(raw).toHaveLength(300);
    // The window around epoch 151 (value 0) reaches 32 epochs to each side, the outermost counting half: 32 of 64 are ones.
    expect(line[150]).toEqual({ epoch: 151, value: 0.5 });
    expect(line[1]).toEqual({ epoch: 2, value: 0.5 });
    expect(line[0]).toEqual({ epoch: 1, value: 0 });
  });

  it('become the mean over seeds with its 95 % interval, from three seeds on', () => {
    const runs = [0.5, 0.6, 0.7, 0.8].map((value) => {
      const values = [value, value, 0.75];
      const accuracy = { train: values, validation: values, test: values };
      return makeRunResult({ metrics: { ...makeRunResult().metrics, accuracy } });
    });
    const { line, band } = buildSeries(runs, testOf, { window: null, bounds: [0, 0.8] });
    // t(0.975, 3) = 3.18245; the standard deviation of the four is 0.12910. The bound cuts the interval.
    expect(line[0]?.value).toBeCloseTo(0.65, 12);
    expect(band[0]?.low).toBeCloseTo(0.65 - (3.18245 * 0.1291) / 2, 4);
    expect(band[0]?.high).toBe(0.8);
    expect(band[2]).toEqual({ epoch: 3, low: 0.75, high: 0.75 });
  });
});

describe('the data of a figure', () => {
  it('has a row for every value drawn, and empty cells for missing values', () => {
    const [outcomes, accuracy, , tau, confusion] = draw(makeResults());
    expect(accuracy?.data[0]).toEqual(['model', 'seed', 'epoch', 'split', 'accuracy']);
    expect(accuracy?.data).toHaveLength(1 + 3 * 3);
    expect(tau?.data[1]).toEqual(['baseline', 2020, 1, 1, 2, 2, 0, 'run']);
    expect(confusion?.data).toContainEqual(['baseline', 2020, 'clap', 'wave', 6]);
    expect(outcomes?.data).toHaveLength(1 + 4);
    expect(
      formatCsv([
        ['a', 'b'],
        ['x,y', null],
      ]),
    ).toBe('a,b\n"x,y",\n');
  });
});

describe('the axis of accuracies', () => {
  /** A training of 300 epochs that jumps from 0.2 to 0.85 in epoch 11, and then stays between 0.85 and 0.95. */
  const values = Array.from({ length: 300 }, (_, i) => (i < 10 ? 0.2 : i % 2 === 0 ? 0.85 : 0.95));
  const accuracy = { train: values, validation: values, test: values };
  const epochs = values.map((_, i) => i + 1);
  const runs = [makeRunResult({ metrics: { epochs, accuracy, loss: accuracy, layers: [] } })];
  const results = makeResults({ models: [makeModelResult({ runs })] });

  it('begins where a long training settles, and says that the start is left out', () => {
    const figure = drawAccuracy(results);
    const spec = JSON.stringify(figure.panels[0]?.spec);
    // The moving mean at epoch 31 has nine and a half of its sixty from the start: (9.5 · 0.2 + 50.5 · 0.9) / 60 = 0.789.
    expect(spec).toContain('"domain":[0.7,1]');
    // The lines are whole, and cut off where they leave the plot.
    expect(spec).toContain('"value":0.2}');
    expect(spec.match(/"type":"line"/g)).toHaveLength(spec.match(/"clip":true/g)?.length ?? 0);
    expect(figure.caption.replaceAll('\u00a0', ' ')).toContain('The axis begins at 70.0 %');
    // The data are complete.
    expect(figure.data).toContainEqual(['baseline', 2020, 1, 'test', 0.2, 'run']);
  });
});
