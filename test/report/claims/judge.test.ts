import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { buildNetwork } from '../../../src/network/networks.ts';
import { countParameters } from '../../../src/network/spec.ts';
import type { Claim, Measure } from '../../../src/report/claims/claim.ts';
import { judgeClaims } from '../../../src/report/claims/judge.ts';
import { collectClaims } from '../../../src/report/collect.ts';
import { summariseModels } from '../../../src/report/data/outcome.ts';
import type { RunResult } from '../../../src/report/data/results.ts';
import { COMPAT_DEFAULTS } from '../../../src/results/thesis/compat.ts';
import { marginOf } from '../../../src/verdicts/published-values.ts';
import { MNIST, NMNIST } from '../../support/datasets.ts';
import { thesisNetwork } from '../../support/thesis-network.ts';
import { FRAMES, makeModelResult, makeResults, makeRunResult } from '../result-values.ts';
import { judge, modelOf, NAMES, run, withTest } from './judging.ts';

const root = join(import.meta.dirname, '../../..');
let committed: Claim[];
beforeAll(async () => {
  committed = await collectClaims(join(root, 'configs/claims.yaml'));
});

const accuracy = { kind: 'accuracy', model: 'Baseline', split: 'test', epoch: 'maximum' } as const;
const published = { share: 0.955, clips: 288 };

describe('a published accuracy', () => {
  test.each([
    [275, 'reproduced'],
    [278, 'reproduced'],
    [279, 'inconclusive'],
    [283, 'inconclusive'],
    [266, 'inconclusive'],
    [263, 'not-reproduced'],
    // Twice as many wrong as published.
    [262, 'not-reproduced'],
    [140, 'not-reproduced'],
  ])('with %i of 288 clips right is %s', (correct, verdict) => {
    expect(judge(accuracy, () => [withTest(correct)], { published })).toMatchObject({ verdict });
  });

  test('says what was measured, and what could have been found', () => {
    const { measured, reason } = judge(accuracy, () => [withTest(266)], { published });
    expect(measured).toBe('92.4\u00a0% (266 of 288), 95 % interval 88.7–94.9\u00a0%');
    // Half of the interval is 4.03 points; (1.960 + 0.842) / 1.960 of that.
    expect(reason).toBe(
      'The difference from 275 of 288 is −3.1\u00a0points, 95 % interval −7.2 to +0.8\u00a0points; it is neither significant nor certainly smaller than the margin, 12 of 288 clips. ' +
        'A true difference of about 5.8\u00a0points would be found in four of five cases. ' +
        'The same result would reproduce no other published value.',
    );
  });

  test('is not that of the maximum if the chosen epoch is meant', () => {
    const runs = [
      withTest(275, { maximum: { test: { epoch: 1, accuracy: 1 }, validation: { epoch: 1, accuracy: 1 } } }),
    ];
    const { measured } = judge({ ...accuracy, epoch: 'chosen' }, () => runs, { published });
    expect(measured).toContain('275 of 288');
  });

  test('has a margin by what its clips can show', () => {
    // 90 % interval of two equal counts, plus 0.674 standard deviations of their difference: 8.2 + 3.4 clips at 275 of 288.
    const margins = [274, 275, 276, 277, 278, 281].map((correct) => marginOf({ correct, clips: 288 }));
    expect(margins).toEqual([13, 12, 12, 12, 11, 10]);
    expect(marginOf({ correct: 128, clips: 128 })).toBe(3);
    // A truly doubled error rate, 13 clips more, must not be inside.
    expect(marginOf({ correct: 275, clips: 288 })).toBeLessThan(288 - 275);
  });
});

describe('the reason', () => {
  const reasonOf = (overrides: Partial<RunResult>, measure: Measure = accuracy) =>
    judge(measure, () => [withTest(275, overrides)], { published }).reason;

  test('names the switches that are not at their defaults', () => {
    const compat = { ...COMPAT_DEFAULTS, loss: 'step', ties: 'rounding', selection: 'best-test' } as const;
    expect(reasonOf({ compat })).toMatch(/\. Compatibility switches: loss=step, ties=rounding\.$/);
    expect(reasonOf({ compat: { ...COMPAT_DEFAULTS } })).not.toContain('switches');
    const count = { kind: 'parameters', model: 'Baseline', count: 1000 } as const;
    expect(reasonOf({ compat }, count)).toBe('Counted in the network as built.');
  });
});

describe('the epochs of the best test accuracies', () => {
  const measure = { kind: 'best-epoch', before: 3 } as const;
  const judged = (test: readonly (number | null)[]) =>
    judge(measure, () => [
      run({ metrics: { ...makeRunResult().metrics, accuracy: { train: test, validation: test, test } } }),
    ]);

  test('must all be early, also where the same accuracy comes again', () => {
    expect(judged([0.5, 0.9, 0.8]).verdict).toBe('reproduced');
    const again = judged([0.9, null, 0.9]);
    expect(again.verdict).toBe('not-reproduced');
    expect(again.measured).toMatch(/^Baseline 1, again up to 3; No Reg\. 1, /);
  });
});

describe('the accuracies at the end', () => {
  const measure = { kind: 'final', model: 'Baseline', others: NAMES.slice(1), margin: 6, last: 2 } as const;
  /** 288 clips, of which 6 are 2.08 points. */
  const judged = (worst: readonly number[]) =>
    judge(measure, (name) => {
      const test = name === 'No Reg.' ? worst : [0.1, 0.94, 0.96];
      const metrics = { ...makeRunResult().metrics, accuracy: { train: test, validation: test, test } };
      return [withTest(275, { metrics })];
    });

  test('are means over the last epochs, and similar if no two differ by more than the margin', () => {
    expect(judged([0.9, 0.92, 0.94])).toMatchObject({
      verdict: 'reproduced',
      measured: 'Baseline 95.0\u00a0%, No Reg. 93.0\u00a0%, λ = .01 95.0\u00a0%, λ = .1 95.0\u00a0%',
    });
    expect(judged([0.95, 0.95, 0.9]).verdict).toBe('not-reproduced');
  });
});

test('what no run can test is not judged, with the reason', () => {
  const measure = { kind: 'untestable', because: 'there is no number.' } as const;
  expect(judge(measure, () => [run()])).toMatchObject({
    verdict: 'not-applicable',
    reason: 'No run can test this: there is no number.',
  });
});

test('the 275 clips that the thesis calls a success neither confirm nor contradict the 96.53 % that it expected', () => {
  const share = committed.find(({ id }) => id === 'replication')!.published!;
  expect(judge(accuracy, () => [withTest(275)], { published: share }).verdict).toBe('inconclusive');
});

describe('counts', () => {
  test('are those of one part of the clips, or of several', () => {
    const count = (splits: readonly ('train' | 'validation' | 'test')[], count: number) =>
      judge({ kind: 'clips', splits, count }, () => [
        run({ clips: { train: 900, validation: 156, test: 288 } }),
      ]);
    expect(count(['train'], 900)).toMatchObject({ verdict: 'reproduced', measured: '900 clips' });
    expect(count(['validation'], 156).verdict).toBe('reproduced');
    expect(count(['train', 'validation'], 1056).verdict).toBe('reproduced');
    expect(count(['train', 'validation', 'test'], 1344).verdict).toBe('reproduced');
    expect(count(['train', 'validation', 'test'], 1464).verdict).toBe('not-reproduced');
  });

  test('are compared exactly', () => {
    const clips = (count: number) =>
      judge({ kind: 'clips', splits: ['test'], count }, () => [withTest(275)]).verdict;
    expect(clips(288)).toBe('reproduced');
    expect(clips(100)).toBe('not-reproduced');
    const parameters = (count: number) =>
      judge({ kind: 'parameters', model: 'Baseline', count }, () => [run()]).verdict;
    expect(parameters(1000)).toBe('reproduced');
    expect(parameters(1001)).toBe('not-reproduced');
  });

  test.each([
    ['layer', 'parameters-layer'],
    ['neuron', 'parameters-neuron'],
  ] as const)('of parameters are those of the network as built, τ per %s', (per, id) => {
    const { measure } = committed.find((claim) => claim.id === id)!;
    expect(measure).toMatchObject({
      count: countParameters(buildNetwork({ ...thesisNetwork, tau: { per, mean: 2, std: 0 } })),
    });
  });
});

describe('a run that is not asked', () => {
  test.each([
    ['an accuracy', { ...accuracy, epoch: 'chosen' } as const, 'reproduced'],
    [
      'no difference',
      { kind: 'difference', model: 'Baseline', others: NAMES.slice(1), margin: 6 } as const,
      'inconclusive',
    ],
  ])('because its epoch was chosen on the test clips: %s', (_, measure, verdict) => {
    const judgeChosenOn = (chosenOn: 'test' | 'validation') =>
      judge(measure, () => [withTest(278, { chosenOn })], { published: { share: 0.9653, clips: 288 } });
    expect(judgeChosenOn('validation').verdict).toBe(verdict);
    expect(judgeChosenOn('test')).toMatchObject({
      verdict: 'not-applicable',
      reason: 'The epoch of Baseline was chosen on the test clips, on which the accuracy is measured.',
    });
  });

  const measure = { kind: 'best-epoch', before: 600 } as const;
  test.each<[string, Parameters<typeof judge>[2], RunResult, string]>([
    ['simulated recordings', { simulated: true }, run(), 'The recordings are simulated.'],
    ['another data set', { dataset: NMNIST }, run(), 'The claim is about another data set.'],
    [
      'another network',
      {},
      run({ network: { pooling: 'average' } }),
      'Baseline differs from the published settings: pooling average instead of maximum.',
    ],
    [
      'a larger network',
      {},
      run({ network: { channels: 256 } }),
      'Baseline differs from the published settings: channels per layer 256 instead of 128.',
    ],
  ])('because of %s', (_, rest, result, reason) => {
    expect(judge(measure, () => [result], rest)).toMatchObject({
      verdict: 'not-applicable',
      measured: '',
      reason,
    });
  });

  test('because it does not have the model', () => {
    const models = [modelOf('Baseline', [run()])];
    const results = makeResults({ models });
    const judged = judgeClaims(committed, results, summariseModels(results));
    const about = judged.find(({ claim }) => claim.id === 'test-no-reg')!;
    expect(about.reason).toBe('This run does not have the model No Reg.');
  });

  test('because its training diverged, so that it has no τ', () => {
    const metrics = {
      ...makeRunResult().metrics,
      layers: [
        {
          tauOfMean: [2, null, 2],
          tauMean: [2, null, 2],
          tauStd: [0, 0, 0],
          tauChange: [0, null, null],
        },
      ],
    };
    const spread = { kind: 'spread', model: 'Baseline', below: 1, within: 3 } as const;
    expect(judge(spread, () => [run({ metrics })])).toMatchObject({
      verdict: 'not-applicable',
      reason: 'τ is missing in some epochs of Baseline.',
    });
  });
});

describe('at reduced scale', () => {
  test.each<[string, Parameters<typeof judge>[2], Partial<RunResult>, string]>([
    ['fewer epochs', { epochs: 600 }, {}, 'epochs 3 instead of at least 600'],
    [
      'a smaller network',
      {},
      { network: { channels: 32, layers: 4 } },
      'convolutional layers 4 instead of 5; channels per layer 32 instead of 128',
    ],
    [
      'smaller frames',
      {},
      { frames: { ...FRAMES, height: 64, width: 64 } },
      'frame size, pixels 64 × 64 instead of 128 × 128',
    ],
    [
      'a shorter schedule',
      {},
      { training: { ...makeRunResult().training, cosineHalfPeriod: 8 } },
      'half-period of the cosine schedule (T_max), epochs 8 instead of 64',
    ],
    [
      'fewer epochs at a higher learning rate',
      { epochs: 600 },
      { training: { ...makeRunResult().training, learningRate: 0.005 } },
      'learning rate 0.005 instead of 0.001; epochs 3 instead of at least 600',
    ],
    [
      'some of the training clips',
      {},
      { clips: { train: 80, validation: 20, test: 288 } },
      'training and validation clips 100 instead of 1\u202f056',
    ],
  ])('a run with %s stands beside what was published', (_, rest, overrides, reduction) => {
    expect(judge(accuracy, () => [withTest(240, overrides)], { published, ...rest })).toMatchObject({
      verdict: 'reduced-scale',
      measured: '83.3\u00a0% (240 of 288), 95 % interval 78.6–87.2\u00a0%',
      reason: `Smaller than the published run: ${reduction}. Published: 95.5\u00a0% (275 of 288), 95 % interval 92.4–97.3\u00a0%.`,
    });
  });

  test('folds of users stand beside it, however many clips they have, without a test of differences', () => {
    const clips = { train: 990, validation: 174, test: 300 };
    const folds = () => [withTest(240, { clips, testUsers: [5, 8, 22, 25, 27, 29] })];
    expect(judge(accuracy, folds, { published })).toMatchObject({
      verdict: 'reduced-scale',
      reason: expect.stringMatching(
        /^Smaller than the published run: folds of users instead of the official test users\. Published/,
      ),
    });
    const difference = { kind: 'difference', model: 'Baseline', others: ['No Reg.'], margin: 6 } as const;
    expect(judge(difference, folds).verdict).toBe('not-applicable');
  });

  test('a full training at another learning rate is not a smaller one', () => {
    const run = withTest(240, { training: { ...makeRunResult().training, learningRate: 0.005 } });
    expect(judge(accuracy, () => [run], { published })).toMatchObject({
      verdict: 'not-applicable',
      reason: 'Baseline differs from the published settings: learning rate 0.005 instead of 0.001.',
    });
  });

  test('simulated recordings are not asked, however small', () => {
    const rest = { published, epochs: 600, simulated: true };
    expect(judge(accuracy, () => [withTest(240)], rest).verdict).toBe('not-applicable');
  });

  test('fewer clips than published, of more, are a part of them', () => {
    const test = { recordings: 24, clips: 288 };
    const base = makeResults().manifest;
    const manifest = { ...base, splits: { ...base.splits, test } };
    const clips = (test: number) =>
      judge(
        { kind: 'clips', splits: ['test'], count: 288 },
        () => [run({ clips: { train: 1, validation: 1, test } })],
        {
          manifest,
        },
      );
    expect(clips(144)).toMatchObject({ verdict: 'reduced-scale', measured: '144 clips' });
    expect(clips(288).verdict).toBe('reproduced');
  });
});

describe('the two protocols of Fang et al.', () => {
  /** The verdict on both published accuracies of the baseline, by a run that held back a share of the clips. */
  const protocols = (validationShare: number, chosenOn: 'validation' | 'test', correct: number) => {
    const network = {
      channels: 128,
      layers: 5,
      neuron: 'plif',
      pooling: 'max',
      tau: { per: 'layer', mean: 2 },
    };
    const metrics = { ...makeRunResult().metrics, epochs: Array.from({ length: 1024 }, (_, i) => i + 1) };
    const one = withTest(correct, { network, metrics, chosenOn, training: { validationShare } });
    const results = makeResults({ models: [modelOf('Baseline', [one])] });
    const judged = judgeClaims(committed, results, summariseModels(results));
    return ['fang-a-plif-2-dvs128-gesture', 'fang-b-plif-2-dvs128-gesture', 'test-baseline'].map((id) => {
      const { verdict, reason } = judged.find(({ claim }) => claim.id === id)!;
      return verdict === 'not-applicable' ? reason : verdict;
    });
  };
  const otherShare = (used: number, published: number) =>
    `Baseline differs from the published settings: share of training clips held out for validation ${used} instead of ${published}.`;

  test('A is judged by runs that hold nothing back and choose the best test epoch', () => {
    expect(protocols(0, 'test', 281)).toEqual(['reproduced', otherShare(0, 0.15), otherShare(0, 0.15)]);
    expect(protocols(0, 'validation', 281)[0]).toMatch(/was not chosen on the test clips/);
  });

  test('B by runs that hold back 15 % and choose the epoch on them', () => {
    expect(protocols(0.15, 'validation', 278)).toEqual([otherShare(0.15, 0), 'reproduced', 'reproduced']);
    expect(protocols(0.15, 'test', 278)[1]).toMatch(/chosen on the test clips, on which the accuracy/);
  });

  test('on another data set, the network is found by its settings', () => {
    const trained = (tau: number, neuron: string, channels = 128) =>
      makeModelResult({
        id: `mnist-${neuron}`,
        title: 'MNIST',
        published: null,
        runs: [
          makeRunResult({
            clips: { train: 60_000, validation: 0, test: 10_000 },
            network: { steps: 8, channels, neuron, pooling: 'max', tau: { per: 'layer', mean: tau } },
            training: { validationShare: 0 },
            chosenOn: 'test',
            test: { clips: 10_000, correct: 9950, accuracy: 0.995, loss: 0.1 },
            maximum: { test: { epoch: 3, accuracy: 0.997 }, validation: { epoch: 1, accuracy: 0 } },
          }),
        ],
      });
    const base = makeResults().manifest;
    const manifest = { ...base, splits: { ...base.splits, train: { recordings: 1, clips: 60_000 } } };
    const judged = (...models: ReturnType<typeof trained>[]) => {
      const results = makeResults({ dataset: MNIST, models, manifest });
      return judgeClaims(committed, results, summariseModels(results)).filter(
        ({ verdict }) => verdict !== 'not-applicable',
      );
    };
    const found = judged(trained(16, 'plif'), trained(2, 'lif'));
    expect(found.map(({ claim, verdict }) => [claim.id, verdict])).toEqual([
      ['fang-a-plif-16-mnist', 'reduced-scale'],
      ['fang-a-lif-2-mnist', 'reduced-scale'],
    ]);
    expect(found[0]!.reason).toBe(
      'Smaller than the published run: epochs 3 instead of at least 1\u202f024. Published: 99.7\u00a0% (9\u202f973 of 10\u202f000), 95 % interval 99.6–99.8\u00a0%.',
    );
    expect(judged(trained(4, 'lif'))).toEqual([]);
  });
});
