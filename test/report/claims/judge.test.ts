import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { Fields } from '../../../src/formats/fields.ts';
import { type Claims, type Measure, readClaims } from '../../../src/report/claims/claim.ts';
import { judgeClaims } from '../../../src/report/claims/judge.ts';
import { describeClaims, formatJudgements } from '../../../src/report/claims/section.ts';
import { collectClaims } from '../../../src/report/collect.ts';
import { formatPoints } from '../../../src/report/format.ts';
import { judgeModels } from '../../../src/report/outcome.ts';
import type { ModelResult, Results, RunResult } from '../../../src/report/results.ts';
import { buildNetwork } from '../../../src/snn/networks.ts';
import { countParameters } from '../../../src/snn/parameters.ts';
import { thesisNetwork } from '../../support/thesis-network.ts';
import {
  makeAnswers,
  makeLayerResult,
  makeModelResult,
  makeResults,
  makeRunResult,
  split,
} from '../result-values.ts';

const root = join(import.meta.dirname, '../../..');
let committed: Claims;
beforeAll(async () => {
  committed = await collectClaims(join(root, 'configs/claims.yaml'));
});

const NAMES = ['Baseline', 'No Reg.', 'λ = .01', 'λ = .1'];

const CLIPS = { train: 1007, validation: 169, test: 288 };

/** A run with the settings of the thesis, so far as the report compares them. */
function run(overrides: Partial<RunResult> = {}): RunResult {
  return makeRunResult({ network: {}, training: {}, clips: CLIPS, ...overrides });
}

function modelOf(name: string, runs: readonly RunResult[]): ModelResult {
  return makeModelResult({ id: name, title: name, published: { name, test: 0.95, validation: 1 }, runs });
}

/** Judges one measure on models that are made by name. */
function judge(
  measure: Measure,
  runsOf: (name: string) => readonly RunResult[],
  rest: Partial<Results> & { epochs?: number; published?: { share: number; clips: number } } = {},
) {
  const { epochs = 1, published: share = null, ...overrides } = rest;
  const published = share && { ...share, correct: Math.round(share.share * share.clips) };
  const models = NAMES.map((name) => modelOf(name, runsOf(name)));
  const results = makeResults({ models, ...overrides });
  const claim = { id: 'a', source: 'here', statement: 'so', published, measure, epochs };
  const [judgement] = judgeClaims({ margin: 0.05, claims: [claim] }, results, judgeModels(results));
  return judgement!;
}

/** With so many of 288 test clips right. */
const withTest = (correct: number, overrides: Partial<RunResult> = {}) =>
  run({
    test: split(correct, 288),
    answers: makeAnswers(correct, 288),
    maximum: { test: { epoch: 2, accuracy: correct / 288 }, validation: { epoch: 1, accuracy: 1 } },
    ...overrides,
  });

describe('a published accuracy', () => {
  const measure = { kind: 'accuracy', model: 'Baseline', split: 'test', epoch: 'maximum' } as const;
  const published = { share: 0.955, clips: 288 };

  test.each([
    [275, 'reproduced'],
    [283, 'inconclusive'],
    [266, 'inconclusive'],
    [262, 'not-reproduced'],
    [255, 'not-reproduced'],
    [140, 'not-reproduced'],
  ])('with %i of 288 clips right is %s', (correct, verdict) => {
    expect(judge(measure, () => [withTest(correct)], { published })).toMatchObject({ verdict });
  });

  test('says what was measured, and what could have been found', () => {
    const { measured, reason } = judge(measure, () => [withTest(266)], { published });
    expect(measured).toBe('92.4\u00a0% (266 of 288), 95 % interval 88.7–94.9\u00a0%');
    // √(0.9394 · 0.0606 · 2 / 288) = 1.99 points; 2.80 times that.
    expect(reason).toBe(
      'The difference from 275 of 288 is −3.1\u00a0points, 95 % interval −7.2 to +0.8\u00a0points. ' +
        'With 288 and 288 clips, only a difference of at least 5.6\u00a0points would be found in four of five cases.',
    );
  });

  test('is not that of the maximum if the chosen epoch is meant', () => {
    const runs = [
      withTest(275, { maximum: { test: { epoch: 1, accuracy: 1 }, validation: { epoch: 1, accuracy: 1 } } }),
    ];
    const { measured } = judge({ ...measure, epoch: 'chosen' }, () => runs, { published });
    expect(measured).toContain('275 of 288');
  });
});

describe('no difference', () => {
  const measure = { kind: 'difference', model: 'Baseline', others: NAMES.slice(1) } as const;

  test('is reproduced only if the models are shown to be equal', () => {
    const judgement = judge(measure, (name) => [withTest(name === 'Baseline' ? 275 : 276)]);
    expect(judgement).toMatchObject({ verdict: 'reproduced' });
    expect(judgement.measured).toContain(
      'No Reg. +0.3\u00a0points (95 % interval −0.6 to +1.3\u00a0points, p = 1.000)',
    );
  });

  test('is not reproduced if one model is clearly worse', () => {
    const judgement = judge(measure, (name) => [withTest(name === 'λ = .1' ? 250 : 275)]);
    expect(judgement).toMatchObject({ verdict: 'not-reproduced' });
    expect(judgement.reason).toMatch(/^λ = \.1: significant \(exact McNemar test/);
  });

  test('is inconclusive if the models disagree on many clips, each as often right', () => {
    // The other is wrong on the first 40 clips, and right on the last 40, where the baseline is wrong.
    const baseline = makeAnswers(248, 288);
    const other = baseline.map((answer) => ({ ...answer, right: answer.clip >= 40 }));
    const judgement = judge(measure, (name) => [
      withTest(248, { answers: name === 'Baseline' ? baseline : other }),
    ]);
    expect(judgement).toMatchObject({ verdict: 'inconclusive' });
    expect(judgement.reason).toMatch(
      /: only differences of at least 10\.4.points would be found in four of five cases\.$/,
    );
  });

  test('with three seeds is judged seed by seed', () => {
    const seeds = [2020, 2021, 2022];
    const runs = (...right: number[]) => right.map((correct, i) => withTest(correct, { seed: 2020 + i }));
    const baseline = [270, 275, 272];
    const judged = (...other: number[]) =>
      judge(measure, (name) => runs(...(name === 'Baseline' ? baseline : other)), { seeds });
    expect(judged(271, 275, 271)).toMatchObject({ verdict: 'reproduced' });
    const judgement = judged(210, 216, 211);
    expect(judgement).toMatchObject({ verdict: 'not-reproduced' });
    expect(judgement.reason).toContain('paired t test over 3 seeds');
  });

  test('that is the same in every seed is none that could be tested', () => {
    // Three seeds, each with one clip more right than the baseline's.
    const seeds = [2020, 2021, 2022];
    const judgement = judge(
      measure,
      (name) =>
        [270, 275, 272].map((correct, i) =>
          withTest(correct + (name === 'Baseline' ? 0 : 1), { seed: 2020 + i }),
        ),
      { seeds },
    );
    expect(judgement).toMatchObject({ verdict: 'inconclusive' });
    expect(judgement.measured).toMatch(/^No Reg\. \+0\.3.points in every seed, so no p;/);
    expect(judgement.reason).toMatch(/the same in every seed, so that nothing says how far/);
  });

  test('names what three seeds would find in four of five cases, by the noncentral t distribution', () => {
    const shifts: Readonly<Record<string, readonly number[]>> = { Baseline: [0, 0, 0] };
    const { reason } = judge(
      measure,
      (name) => (shifts[name] ?? [-9, 0, 9]).map((shift, i) => withTest(270 + shift, { seed: 2020 + i })),
      { seeds: [2020, 2021, 2022] },
    );
    // 9 clips of 288 are 3.125 points; at a level of 5 % / 3, λ = 9.82 (SciPy's ncf): 9.82 · 3.125 / √3 = 17.7 points.
    expect(reason).toContain('at least 17.7\u00a0points would be found in four of five cases');
  });
});

/** Hundredths of neurons half of which have a first τ, half a last one. */
const halves = (first: number, median: number, last: number) =>
  Array.from({ length: 101 }, (_, i) => (i < 50 ? first : i > 50 ? last : median));

describe('time constants', () => {
  const layers = (tauMean: number[], tauStd: number[]) => ({
    ...makeRunResult().metrics,
    epochs: tauMean.map((_, i) => i + 1),
    layers: [{ tauMean, tauStd, spikeRate: tauMean.map(() => 0.1) }],
  });

  test('σ(τ) must stay below the limit from an early epoch on', () => {
    const measure = { kind: 'spread', model: 'λ = .1', below: 0.05, within: 2 } as const;
    const judged = (tauStd: number[]) =>
      judge(measure, () => [run({ metrics: layers([2, 2, 2, 2], tauStd) })]);
    expect(judged([0.1, 0.04, 0.03, 0.02])).toMatchObject({
      verdict: 'reproduced',
      measured: 'below 0.05 in all layers from epoch 2 on',
    });
    expect(judged([0.1, 0.04, 0.06, 0.02]).verdict).toBe('not-reproduced');
    expect(judged([0.1, 0.1, 0.1, 0.06])).toMatchObject({ measured: 'at the end, σ(τ) is up to 0.060' });
  });

  test('the baseline must change faster than the mean of the others', () => {
    const measure = { kind: 'speed', model: 'Baseline', others: NAMES.slice(1) } as const;
    const judged = (step: number) =>
      judge(measure, (name) => [
        run({ metrics: layers(name === 'Baseline' ? [2, 2 + step, 2] : [2, 2.1, 2], [0, 0, 0]) }),
      ]);
    expect(judged(0.2).verdict).toBe('reproduced');
    expect(judged(0.05)).toMatchObject({
      verdict: 'not-reproduced',
      measured: '0.050 against 0.10 time steps per epoch',
    });
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
    const at = (epoch: number, seed: number) =>
      run({ seed, maximum: { test: { epoch, accuracy: 1 }, validation: { epoch, accuracy: 1 } } });
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

describe('counts', () => {
  test('are compared exactly', () => {
    const clips = (count: number) => judge({ kind: 'clips', split: 'test', count }, () => [run()]).verdict;
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
    const { measure } = committed.claims.find((claim) => claim.id === id)!;
    expect(measure).toMatchObject({
      count: countParameters(buildNetwork({ ...thesisNetwork, tau: { per, mean: 2, std: 0 } })),
    });
  });
});

describe('what cannot be judged', () => {
  test.each([
    ['an accuracy', { kind: 'accuracy', model: 'Baseline', split: 'test', epoch: 'chosen' } as const],
    ['no difference', { kind: 'difference', model: 'Baseline', others: NAMES.slice(1) } as const],
  ])('by an epoch chosen on the test clips: %s', (_, measure) => {
    const published = { share: 0.9653, clips: 288 };
    const judgeChosenOn = (chosenOn: 'test' | 'validation') =>
      judge(measure, () => [withTest(278, { chosenOn })], { published });
    expect(judgeChosenOn('validation').verdict).toBe('reproduced');
    expect(judgeChosenOn('test')).toMatchObject({
      verdict: 'not-applicable',
      reason: 'The epoch of Baseline was chosen on the test clips, which the accuracy is measured on.',
    });
  });

  const measure = { kind: 'best-epoch', before: 600 } as const;
  test.each<[string, Parameters<typeof judge>[2], RunResult, string]>([
    ['simulated recordings', { simulated: true }, run(), 'The recordings are simulated.'],
    ['another data set', { dataset: 'nmnist' }, run(), 'The data set is not that of the thesis.'],
    ['too few epochs', { epochs: 1200 }, run(), 'It takes 1\u202f200 epochs to judge this; Baseline has 3.'],
    [
      'a smaller network',
      {},
      run({ network: { channels: 32 } }),
      'Baseline differs from the thesis: channels per layer 32 instead of 128.',
    ],
  ])('by %s says so', (_, rest, result, reason) => {
    expect(judge(measure, () => [result], rest)).toMatchObject({
      verdict: 'not-applicable',
      measured: '',
      reason,
    });
  });

  test('without the model that it is about', () => {
    const models = [modelOf('Baseline', [run()])];
    const results = makeResults({ models });
    const judged = judgeClaims(committed, results, judgeModels(results));
    const about = judged.find(({ claim }) => claim.id === 'test-no-reg')!;
    expect(about.reason).toBe('This run does not have the model No Reg.');
  });
});

test('a published share is that of a whole number of clips', () => {
  const claimWith = (published: object) => {
    const measure = { kind: 'accuracy', model: 'A', split: 'test', epoch: 'maximum' };
    const claim = { id: 'a', source: 'here', statement: 'so', requires: { epochs: 1 }, published, measure };
    const file = { file: 'claims.yaml', code: 'report-input', fix: 'Correct it.' };
    return readClaims(new Fields(file, { margin: 0.05, claims: [claim] })).claims[0]?.published;
  };
  expect(claimWith({ share: 0.955, clips: 288 })).toEqual({ share: 0.955, correct: 275, clips: 288 });
  expect(claimWith({ share: 0.9757, clips: 288 })).toMatchObject({ correct: 281 });
  expect(() => claimWith({ share: 0.95, clips: 12 })).toThrow('which is no whole number of 12 clips');
});

test('every committed claim gets a verdict, and claims.json has them all', () => {
  const results = makeResults({ models: NAMES.map((name) => modelOf(name, [withTest(275)])) });
  const judged = judgeClaims(committed, results, judgeModels(results));
  expect(judged).toHaveLength(committed.claims.length);
  const { claims } = JSON.parse(formatJudgements(judged, false));
  expect(claims.map(({ id }: { id: string }) => id)).toEqual(committed.claims.map(({ id }) => id));
  for (const { reason } of judged) expect(reason).toMatch(/\.$/);
});

test('the schema accepts the committed claims, and refuses what readClaims refuses', async () => {
  const schema = JSON.parse(await readFile(join(root, 'schemas/claims.schema.json'), 'utf8'));
  const isValid = new Ajv({ strict: true, strictRequired: false }).compile(schema);
  const document = parse(await readFile(join(root, 'configs/claims.yaml'), 'utf8'));
  expect(isValid(document)).toBe(true);
  const kinds = document.claims.map(({ measure }: { measure: { kind: string } }) => measure.kind);
  expect(new Set(kinds)).toEqual(new Set(schema.definitions.measure.properties.kind.enum));
  for (const index of document.claims.keys()) {
    const spoil = (change: (claim: Record<string, never>) => void) => {
      const copy = structuredClone(document);
      change(copy.claims[index]);
      return isValid(copy);
    };
    expect(spoil((claim) => Object.assign(claim, { other: 1 }))).toBe(false);
    expect(spoil((claim) => Object.assign(claim.measure!, { other: 1 }))).toBe(false);
    expect(spoil((claim) => Object.assign(claim.measure!, { kind: 'other' }))).toBe(false);
    const { requires } = document.claims[index];
    expect(spoil((claim) => Reflect.deleteProperty(claim, 'requires'))).toBe(requires === undefined);
  }
});

test('two epochs are too few for any claim about training', () => {
  const results = makeResults({ models: NAMES.map((name) => modelOf(name, [withTest(275)])) });
  for (const { claim, verdict } of judgeClaims(committed, results, judgeModels(results))) {
    if (['clips', 'parameters'].includes(claim.measure.kind)) continue;
    expect(verdict, claim.id).toBe('not-applicable');
  }
});

test('a training that diverged has no τ to judge', () => {
  const metrics = {
    ...makeRunResult().metrics,
    layers: [{ tauMean: [2, null, 2], tauStd: [0, 0, 0], spikeRate: [0, 0, 0] }],
  };
  const measure = { kind: 'spread', model: 'Baseline', below: 1, within: 3 } as const;
  expect(judge(measure, () => [run({ metrics })])).toMatchObject({
    verdict: 'not-applicable',
    reason: 'τ is missing in some epochs of Baseline.',
  });
});

test('points are rounded before they get a sign', () => {
  expect([0.0004, -0.0004, 0.0126, -0.0126].map((one) => formatPoints(one))).toEqual(
    ['0.0', '0.0', '+1.3', '−1.3'].map((text) => `${text}\u00a0points`),
  );
  expect(formatPoints(0.05, false)).toBe('5.0\u00a0points');
});

test('the section has a table only if something could be judged', () => {
  const results = makeResults({ simulated: true });
  const judged = judgeClaims(committed, results, judgeModels(results));
  const { blocks } = describeClaims(judged, committed.margin);
  expect(blocks.map(({ kind }) => kind)).toEqual(['paragraph']);
  expect(JSON.stringify(blocks)).toContain(
    `None of the ${committed.claims.length} published claims can be judged by this run.`,
  );
  expect(JSON.stringify(blocks)).toContain('The recordings are simulated.');
  const real = makeResults({ models: NAMES.map((name) => modelOf(name, [withTest(275)])) });
  const section = describeClaims(judgeClaims(committed, real, judgeModels(real)), committed.margin);
  expect(section.blocks.map(({ kind }) => kind)).toEqual(['paragraph', 'table']);
  expect(JSON.stringify(section.blocks[0])).toContain('Of four published claims that this run can judge');
});
