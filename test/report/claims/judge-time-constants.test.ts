import { describe, expect, test } from 'vitest';
import { makeLayerResult, makeRunResult } from '../result-values.ts';
import { judge, NAMES, run } from './judging.ts';

/** Hundredths of neurons half of which have a first τ, half a last one. */
const halves = (first: number, median: number, last: number) =>
  Array.from({ length: 101 }, (_, i) => (i < 50 ? first : i > 50 ? last : median));

describe('time constants', () => {
  const layers = (tauMean: number[], tauStd: number[]) => ({
    ...makeRunResult().metrics,
    epochs: tauMean.map((_, i) => i + 1),
    layers: [{ tauOfMean: tauMean, tauMean, tauStd, tauChange: tauMean }],
  });

  test('σ(τ) must stay below the limit from an early epoch on, while validation accuracy rises', () => {
    const measure = { kind: 'spread', model: 'λ = .1', below: 0.05, within: 2 } as const;
    const judged = (tauStd: number[], validation: (number | null)[] = [0.25, 0.5, 0.75, 0.75]) => {
      const metrics = layers([2, 2, 2, 2], tauStd);
      return judge(measure, () => [
        run({ metrics: { ...metrics, accuracy: { ...metrics.accuracy, validation } } }),
      ]);
    };
    expect(judged([0.1, 0.04, 0.03, 0.02])).toMatchObject({
      verdict: 'reproduced',
      measured: 'below 0.05 in all layers from epoch 2 on; validation accuracy 25.0\u00a0%, then 50.0\u00a0%',
    });
    expect(judged([0.1, 0.04, 0.03, 0.02], [0.5, 0.4, 0.9, 0.9]).verdict).toBe('not-reproduced');
    expect(judged([0.1, 0.04, 0.06, 0.02]).verdict).toBe('not-reproduced');
    // Nothing was held out for validation, or it was not looked at.
    for (const unknown of [[null, null, null, null], [null, 0.5, 0.5, 0.5], []])
      expect(judged([0.1, 0.04, 0.03, 0.02], unknown)).toMatchObject({
        verdict: 'not-applicable',
        measured: '',
      });
    expect(judged([0.1, 0.1, 0.1, 0.06]).measured).toMatch(/^at the end, σ\(τ\) is up to 0\.060;/);
  });

  describe('the baseline must change faster than the others', () => {
    const measure = { kind: 'speed', of: 'neurons', model: 'Baseline', others: NAMES.slice(1) } as const;
    /** Two layers; the mean τ of the others stands still in both. */
    const moving = (changes: readonly number[]) => ({
      ...makeRunResult().metrics,
      layers: [1, 2].map((factor) => ({
        tauOfMean: [2, 2, 2],
        tauMean: [2, 2, 2],
        tauStd: [0, 0.1, 0.2],
        tauChange: changes.map((change) => change * factor),
      })),
    });
    const judged = (own: readonly number[], others = [0.1, 0.2, 0.3]) =>
      judge(measure, (name) => [run({ metrics: moving(name === 'Baseline' ? own : others) })]);

    test('neuron by neuron, whatever their mean does', () => {
      expect(judged([0.1, 0.2, 0.6])).toMatchObject({
        verdict: 'reproduced',
        measured: 'faster in 2 of 2 layers; over all layers 0.45 against 0.30 time steps per epoch',
      });
      expect(judged([0.1, 0.2, 0]).verdict).toBe('not-reproduced');
    });

    test('than their mean, whatever their neurons do', () => {
      const others = moving([0.5, 0.5, 0.5]);
      const own = { ...others, layers: others.layers.map((layer) => ({ ...layer, tauOfMean: [2, 2.1, 2] })) };
      const of = (of: 'mean' | 'neurons', baseline = own) =>
        judge({ ...measure, of }, (name) => [run({ metrics: name === 'Baseline' ? baseline : others })]);
      expect(of('mean')).toMatchObject({
        verdict: 'reproduced',
        measured: 'faster in 2 of 2 layers; over all layers 0.10 against 0.0 time steps per epoch',
      });
      // Their neurons move as far as those of the baseline.
      expect(of('neurons').verdict).toBe('not-reproduced');
      expect(of('mean', others).verdict).toBe('not-reproduced');
    });
  });

  test('trajectories are alike if they are closer to each other than to the baseline', () => {
    const measure = { kind: 'alike', model: 'Baseline', others: NAMES.slice(1) } as const;
    const courses: Record<string, number[]> = {
      Baseline: [2, 1.5, 1],
      'No Reg.': [2, 2, 2],
      'λ = .01': [2, 2, 2.3],
      'λ = .1': [2, 2, 2.15],
    };
    const judged = (baseline: number[]) =>
      judge(measure, (name) => [
        run({ metrics: layers(name === 'Baseline' ? baseline : courses[name]!, [0, 0, 0]) }),
      ]);
    // The farthest two of the others: 0.3 in one of three epochs; from the baseline, No Reg. 0.5 and 1.
    expect(judged([2, 1.5, 1])).toMatchObject({
      verdict: 'reproduced',
      measured: 'up to 0.10 time steps from each other, at least 0.50 from Baseline',
    });
    expect(judged([2, 1.9, 2]).verdict).toBe('not-reproduced');
  });

  test.each([
    ['out and back', [1.6, 1.3, 1.35, 1.45], 'reproduced'],
    ['too little back', [1.6, 1.3, 1.35, 1.39], 'not-reproduced'],
    ['upwards and back', [2.6, 2.9, 2.7, 2.5], 'reproduced'],
    ['farther out at the end than before', [1.6, 1.7, 1.8, 1.3], 'not-reproduced'],
    ['out too late', [1.9, 1.8, 1.3, 1.7], 'not-reproduced'],
  ])('an overshoot goes %s', (_, course, verdict) => {
    const measure = { kind: 'overshoot', model: 'Baseline', layer: 0, within: 2, by: 0.1 } as const;
    const network = { tau: { mean: 2 } };
    const judgement = judge(measure, () => [run({ network, metrics: layers(course, [0, 0, 0, 0]) })]);
    expect(judgement).toMatchObject({ verdict });
    if (course[1] === 1.3 && verdict === 'reproduced')
      expect(judgement.measured).toBe('from 2.00 to 1.30 at epoch 2, then 1.45 at epoch 4');
  });

  /** A layer for each course of τ. */
  const deep = (...courses: readonly number[][]) => ({
    ...layers(courses[0]!, [0, 0, 0, 0]),
    layers: courses.flatMap((course) => layers(course, [0, 0, 0, 0]).layers),
  });
  const network = { tau: { mean: 2 } };

  test('an overshoot goes farther back than τ of any other layer', () => {
    const measure = { kind: 'overshoot', model: 'Baseline', layer: 0, within: 2, by: 0.1 } as const;
    const judged = (other: number[]) =>
      judge(measure, () => [run({ network, metrics: deep([1.6, 1.3, 1.35, 1.45], other) })]);
    expect(judged([2, 2.5, 2.4, 2.4])).toMatchObject({
      verdict: 'reproduced',
      measured: 'from 2.00 to 1.30 at epoch 2, then 1.45 at epoch 4; other layers come back by up to 0.10',
    });
    expect(judged([2, 2.5, 2.2, 2.2]).verdict).toBe('not-reproduced');
  });

  test('the others evolve more stably if they come back less far', () => {
    const measure = { kind: 'steady', model: 'Baseline', others: NAMES.slice(1), layer: 0 } as const;
    const judged = (other: number[]) =>
      judge(measure, (name) => [
        run({ network, metrics: deep(name === 'Baseline' ? [1.6, 1.3, 1.35, 1.45] : other) }),
      ]);
    expect(judged([2, 1.7, 1.7, 1.75])).toMatchObject({
      verdict: 'reproduced',
      measured: 'Baseline 0.15, No Reg. 0.05, λ = .01 0.05, λ = .1 0.05',
    });
    expect(judged([2, 1.5, 1.7, 1.8]).verdict).toBe('not-reproduced');
    expect(judge({ ...measure, layer: 4 }, () => [run()]).reason).toBe(
      'The networks have no spiking layer 5.',
    );
  });

  test('the smallest and largest τ of a layer must be within their bounds', () => {
    const measure = {
      kind: 'range',
      layer: 0,
      ranges: [
        { model: 'Baseline', smallest: [3.5, 4.5], largest: [3.5, 4.5] },
        { model: 'No Reg.', largest: [1, 2.7] },
      ],
    } as const;
    const judged = (baseline: number, ...taus: number[]) =>
      judge(measure, (name) => [run({ layers: [makeLayerResult(name === 'Baseline' ? [baseline] : taus)] })]);
    expect(judged(4, 1.5, 2, 2.6)).toMatchObject({
      verdict: 'reproduced',
      measured: 'Baseline 4.00, No Reg. 1.50 to 2.60',
    });
    expect(judged(4, 1.5, 2, 2.8).verdict).toBe('not-reproduced');
    expect(judged(3.4, 1.5, 2, 2.6).verdict).toBe('not-reproduced');
    expect(judge({ ...measure, layer: 3 }, () => [run()]).reason).toBe(
      'The networks have no spiking layer 4.',
    );
  });

  test('no neuron of the others may be near', () => {
    const measure = {
      kind: 'apart',
      model: 'Baseline',
      others: NAMES.slice(1),
      layer: 0,
      distance: 0.5,
    } as const;
    const judged = (taus: readonly number[], layer = 0, baseline: readonly number[] = [4]) =>
      judge({ ...measure, layer }, (name) => [
        run({ layers: [makeLayerResult(name === 'Baseline' ? baseline : taus)] }),
      ]);
    expect(judged([1.5, 2, 3.25])).toMatchObject({
      verdict: 'reproduced',
      measured:
        'Baseline 4.00; the nearest τ of No Reg. is 0.75 away, of λ = .01 is 0.75 away, of λ = .1 is 0.75 away',
    });
    expect(judged([1.5, 2, 3.5]).verdict).toBe('not-reproduced');
    // The middle one of an even number is no neuron's: there may be none from 1.5 to 6.
    expect(judged([1.5, 4.25, 6]).verdict).toBe('inconclusive');
    expect(judged([1.5, 3.75, 4.25, 6]).verdict).toBe('not-reproduced');
    expect(judged([4.75, 5, 6]).verdict).toBe('reproduced');
    expect(judged([2], 5).verdict).toBe('not-applicable');
    expect(judged([2], 0, [3, 4, 5]).verdict).toBe('not-applicable');
    expect(judged([2], 5).reason).toBe('The networks have no spiking layer 6.');
  });

  test.each([
    // 508 neurons at 2, two at 3.2 and two at 4: the last hundredths are 2 and 4, between them one may be as near as can be.
    ['that may be near', [...Array.from({ length: 100 }, () => 2), 4], 3.2, 'inconclusive', '0.00 to 0.80'],
    // Half at 1.5, half at 5: no neuron has the median, 3.25; whether there is one near it, no quantile tells.
    ['that only the median has', halves(1.5, 3.25, 5), 3.25, 'inconclusive', '0.00 to 1.75'],
    ['that are all above', halves(4, 4.5, 5), 3.25, 'reproduced', '0.75'],
    ['of which some are near', halves(3, 3.1, 3.2), 3.25, 'not-reproduced', '0.05'],
  ])('by hundredths of 512 neurons %s', (_, taus, own, verdict, gap) => {
    const measure = {
      kind: 'apart',
      model: 'Baseline',
      others: ['No Reg.'],
      layer: 0,
      distance: 0.5,
    } as const;
    const judgement = judge(measure, (name) => [
      run({ layers: [makeLayerResult(name === 'Baseline' ? [own] : taus)] }),
    ]);
    expect(judgement).toMatchObject({
      verdict,
      measured: `Baseline ${own.toFixed(2)}; the nearest τ of No Reg. is ${gap} away`,
    });
    expect(judgement.reason.includes('a neuron may be nearer')).toBe(verdict === 'inconclusive');
  });

  test('with several seeds, what holds for some of them is inconclusive', () => {
    const measure = { kind: 'best-epoch', before: 600 } as const;
    const at = (epoch: number, seed: number) => {
      const test = [0.5, 1, 0.5];
      const metrics = { ...makeRunResult().metrics, epochs: [1, epoch, 1256] };
      return run({ seed, metrics: { ...metrics, accuracy: { train: test, validation: test, test } } });
    };
    const judged = (...epochs: number[]) =>
      judge(measure, () => epochs.map((epoch, i) => at(epoch, 2020 + i)));
    expect(judged(10, 599).verdict).toBe('reproduced');
    expect(judged(10, 600).verdict).toBe('inconclusive');
    // Wilson's interval of 1 of 2.
    expect(judged(10, 600).reason).toContain(
      'It holds for 1 of 2 seeds, so of all seeds for 9.5–90.5\u00a0% (95 % interval, Wilson).',
    );
    expect(judged(600).verdict).toBe('not-reproduced');
  });
});
