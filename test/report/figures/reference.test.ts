import { describe, expect, it } from 'vitest';
import type { ReferenceCurves, Results } from '../../../src/report/data/results.ts';
import type { Figure } from '../../../src/report/drawing/figure.ts';
import { drawTau } from '../../../src/report/figures/tau.ts';
import { drawAccuracy } from '../../../src/report/sections/training.ts';
import { NMNIST } from '../../support/datasets.ts';
import { makeModelResult, makeResults } from '../result-values.ts';

/** The figures that show the logs: those of the thesis. */
const draw = (results: Results) => [drawAccuracy(results), drawTau(results)] as const;

describe('the authors’ logs', () => {
  const curves: ReferenceCurves = {
    epochs: [2, 9],
    accuracy: {
      validation: [],
      test: [
        { epoch: 2, value: 0.5 },
        { epoch: 3, value: 0.25 },
        { epoch: 9, value: 0.75 },
      ],
    },
    tau: [[{ epoch: 2, value: 2.25 }]],
  };
  const models = [makeModelResult(), makeModelResult({ id: 'other', title: 'Other' })];
  const logged = makeResults({ models, reference: new Map([['baseline', curves]]) });
  const labels = (figure: Figure) =>
    figure.legend.map(({ label }) => label).filter((label) => /authors/.test(label));

  it('are drawn over the curves in their own style, up to twice our epochs', () => {
    const figure = drawTau(logged);
    expect(labels(figure)).toEqual(['authors’ logs, in the model’s colour']);
    const drawn = JSON.stringify([figure.panels, drawAccuracy(logged).panels]);
    expect(drawn).toContain('"domain":[1,6],"nice":false');
    // Epoch 9 is more than twice our three.
    expect(drawn).not.toContain('"epoch":9');
    expect(drawn).toContain('"strokeDash":[9,3]');
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
    const [accuracy, tau] = draw(logged);
    expect(accuracy.data).toContainEqual(['baseline', null, 9, 'test', 0.75, 'authors']);
    expect(tau.data).toContainEqual(['baseline', null, 1, 2, 2.25, null, null, 'authors']);
  });

  it('are omitted for simulated data and for other data sets', () => {
    for (const other of [{ simulated: true }, { dataset: NMNIST }]) {
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
