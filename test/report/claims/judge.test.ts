import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { Fields } from '../../../src/formats/fields.ts';
import { type Claims, readClaims } from '../../../src/report/claims/claim.ts';
import { judgeClaims } from '../../../src/report/claims/judge.ts';
import { describeClaims, formatJudgements } from '../../../src/report/claims/section.ts';
import { collectClaims } from '../../../src/report/collect.ts';
import { formatPoints } from '../../../src/report/format.ts';
import { judgeModels } from '../../../src/report/outcome.ts';
import type { RunResult } from '../../../src/report/results.ts';
import { buildNetwork } from '../../../src/snn/networks.ts';
import { countParameters } from '../../../src/snn/parameters.ts';
import { thesisNetwork } from '../../support/thesis-network.ts';
import { makeResults, makeRunResult } from '../result-values.ts';
import { judge, modelOf, NAMES, run, withTest } from './judging.ts';

const root = join(import.meta.dirname, '../../..');
let committed: Claims;
beforeAll(async () => {
  committed = await collectClaims(join(root, 'configs/claims.yaml'));
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
    layers: [{ tauOfMean: [2, null, 2], tauMean: [2, null, 2], tauStd: [0, 0, 0], spikeRate: [0, 0, 0] }],
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
