import { describe, expect, it } from 'vitest';
import type { ReferenceCurves, Results } from '../../../src/report/data/results.ts';
import type { Figure } from '../../../src/report/drawing/figure.ts';
import { drawAccuracy, drawAccuracyByModel } from '../../../src/report/figures/accuracy.ts';
import { drawLoss } from '../../../src/report/figures/loss.ts';
import { drawTau } from '../../../src/report/figures/tau.ts';
import { makeModelResult, makeResults } from '../result-values.ts';

/** The figures that have lines over epochs. */
const draw = (results: Results) =>
  [drawAccuracyByModel(results), drawLoss(results), drawTau(results), drawAccuracy(results)] as const;

describe('the authors’ logs', () => {
  const curves: ReferenceCurves = {
    epochs: [2, 9],
    accuracy: {
      train: [{ epoch: 2, value: 1 }],
      validation: [],
      test: [
        { epoch: 2, value: 0.5 },
        { epoch: 3, value: 0.25 },
        { epoch: 9, value: 0.75 },
      ],
    },
    trainLoss: [{ epoch: 2, value: 0.125 }],
    tau: [[{ epoch: 2, value: 2.25 }]],
    placed: true,
    truncated: [],
  };
  const models = [makeModelResult(), makeModelResult({ id: 'other', title: 'Other' })];
  const logged = makeResults({ models, reference: new Map([['baseline', curves]]) });
  const labels = (figure: Figure) =>
    figure.legend.map(({ label }) => label).filter((label) => /authors/.test(label));

  it('are drawn over the curves in their own style, up to twice our epochs', () => {
    const figure = drawAccuracyByModel(logged);
    expect(labels(figure)).toEqual(['authors’ logs: test', 'authors’ logs: training']);
    const domains = [...JSON.stringify(figure.panels).matchAll(/"domain":\[(\d+),(\d+)\],"nice":false/g)];
    expect(new Set(domains.map(([, , last]) => last))).toEqual(new Set(['1', '6']));
    // Epoch 9 is more than twice our three.
    expect(JSON.stringify(figure.panels)).not.toContain('"epoch":9');
    const [own, thin] = [JSON.stringify(figure.panels[1]), JSON.stringify(figure.panels[0])];
    expect(thin).toContain('"strokeDash":[9,3]');
    expect(own).not.toContain('"strokeDash":[9,3]');
  });

  it('are drawn over the test and validation accuracy side by side, in the model’s colour', () => {
    const { panels, legend, data } = drawAccuracy(logged);
    const [test, validation] = panels.map((panel) => JSON.stringify(panel));
    expect(test).toContain('"values":[{"epoch":2,"value":0.5},{"epoch":3,"value":0.25}]');
    expect(test?.match(/"strokeDash":\[9,3\]/g)).toHaveLength(1);
    expect(validation).not.toContain('"strokeDash":[9,3]');
    expect(legend.at(-1)?.label).toBe('authors’ logs, in the model’s colour');
    expect(data).toContainEqual(['baseline', null, 9, 'test', 0.75, 'authors']);
  });

  it('are in the data of the figures, complete and as logged', () => {
    const [accuracy, loss, tau] = draw(logged);
    expect(accuracy.data).toContainEqual(['baseline', null, 9, 'test', 0.75, 'authors']);
    expect(loss.data.filter((row) => row.at(-1) === 'authors')).toEqual([
      ['baseline', null, 2, 'train', 0.125, 'authors'],
    ]);
    expect(tau.data).toContainEqual(['baseline', null, 1, 2, null, 2.25, null, null, 'authors']);
  });

  it('are omitted for simulated data and for other data sets', () => {
    for (const other of [{ simulated: true }, { dataset: 'nmnist' }]) {
      const without = draw({ ...logged, ...other });
      const plain = draw({ ...logged, ...other, reference: null });
      expect(without).toEqual(plain);
      expect(JSON.stringify(without)).not.toMatch(/authors/);
    }
  });

  it('omit the time constants of a network of different depth', () => {
    const deeper = new Map([['baseline', { ...curves, tau: [[], []] }]]);
    expect(labels(drawTau({ ...logged, reference: deeper }))).toEqual([]);
  });
});
