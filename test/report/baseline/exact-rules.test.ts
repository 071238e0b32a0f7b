import { describe, expect, test } from 'vitest';
import type { RunFacts } from '../../../src/report/baseline/baseline.ts';
import type { Rule } from '../../../src/report/baseline/finding.ts';
import { judgeBaseline, judgeVerdicts } from '../../../src/report/baseline/judge.ts';
import type { Verdict } from '../../../src/verdicts/verdicts.ts';
import { exampleBaseline, exampleRun } from './example.ts';

/** What a rule says of a run. */
function judge(rule: Rule, now: Partial<RunFacts>, before: Partial<RunFacts> = {}) {
  const baseline = exampleBaseline({ runs: [exampleRun(before)] });
  const findings = judgeBaseline(baseline, exampleBaseline({ runs: [exampleRun(now)] }), false);
  return findings.find((one) => one.rule === rule);
}

describe('the same engine', () => {
  const rule = 'same digits';

  test('must give the same digits: the first that differs is named', () => {
    const losses = [...exampleRun().trainLosses];
    losses[4] = 0.03000001;
    const layers = exampleRun().layers.map((one) =>
      one.epoch === 8 ? { ...one, tauStds: [0.1, 0.119] } : one,
    );
    expect(judge(rule, { trainLosses: losses, layers })).toMatchObject({
      state: 'failed',
      text: '2 of 52 values differ, the first of them: loss of epoch 5 0.03000001, 0.03 in the baseline; the same engine must give the same',
    });
    expect(judge(rule, { chosenEpoch: 8, preferredEpoch: 8 })?.text).toContain(
      'chosen epoch 8, 7 in the baseline',
    );
    expect(judge(rule, { test: { ...exampleRun().test, wrong: [] } })?.text).toContain(
      'wrong test clips none, 0, 1',
    );
    expect(judge(rule, {})).toMatchObject({ state: 'ok', text: '52 values: equal' });
  });

  test('must give the same answers by time step, and in each order of frames that both have', () => {
    const timed = (correctByStep: number[], reversed: number) => ({
      test: { ...exampleRun().test, correctByStep, correctByOrder: { reversed } },
    });
    const before = timed([40, 90], 60);
    expect(judge(rule, timed([41, 90], 60), before)?.text).toContain(
      'right after each step 41, 90, 40, 90 in the baseline',
    );
    expect(judge(rule, timed([40, 90], 61), before)?.text).toContain('right with frames reversed 61, 60');
    expect(judge(rule, before, before)?.text).toBe('53 values: equal');
    expect(judge(rule, before)?.text).toBe('52 values: equal');
  });

  test('must give the same weights, predictions and accuracies, if the baseline has them', () => {
    const given = (weights: string, predictions: string, share: number) => {
      const each = Array.from({ length: 8 }, (_, epoch) => (epoch === 7 ? share : 0.5));
      return {
        accuracies: { train: each, validation: each, test: each.map(() => null) },
        digests: { weights, predictions },
      };
    };
    const before = given('a', 'b', 0.5);
    expect(judge(rule, before, before)?.text).toBe('70 values: equal');
    expect(judge(rule, before)?.text).toBe('52 values: equal');
    const of = (now: Partial<RunFacts>) => judge(rule, now, before)?.text;
    expect(of(given('c', 'd', 0.5))).toContain(
      '2 of 70 values differ, the first of them: SHA-256 of the weights c, a in',
    );
    expect(of(given('a', 'd', 0.5))).toContain('SHA-256 of the predictions d, b in');
    expect(of(given('a', 'b', 0.6))).toContain('training accuracy of epoch 8 0.6, 0.5 in');
  });

  test('must give as many right answers with each change of τ', () => {
    const changed = (again: number) => ({
      test: { ...exampleRun().test, correctByTau: { permuted: [50, again] } },
    });
    expect(judge(rule, changed(61), changed(60))?.text).toContain('right with τ permuted 50, 61, 50, 60 in');
    expect(judge(rule, changed(60), changed(60))?.text).toBe('53 values: equal');
  });

  test('must cost the same', () => {
    const costing = (effectiveAcs: number) => ({ test: { ...exampleRun().test, cost: { effectiveAcs } } });
    expect(judge(rule, costing(101), costing(100))?.text).toContain('cost: effectiveAcs 101, 100 in');
    expect(judge(rule, costing(100))?.text).toBe('52 values: equal');
  });

  test('is not demanded of another engine, a GPU, or answers that another engine gave', () => {
    const wrong = { test: { ...exampleRun().test, wrong: [] } };
    expect(judge(rule, { ...wrong, engine: 'native x avx512' })).toMatchObject({
      state: 'skipped',
      text: expect.stringContaining('another engine, native x avx512'),
    });
    const later = { engine: 'native y avx2', evaluationEngine: 'native y avx2' };
    expect(judge(rule, { ...wrong, ...later })?.state).toBe('skipped');
    expect(judge(rule, later)).toMatchObject({
      state: 'ok',
      text: '52 values: equal, though by another engine, native y avx2',
    });
    const gpu = 'tfjs 4.22.0 cuda NVIDIA';
    expect(judge(rule, { ...wrong, engine: gpu }, { engine: gpu })?.state).toBe('skipped');
    expect(judge(rule, { ...wrong, evaluationEngine: 'tfjs 4.22.0 cpu' })?.state).toBe('ok');
  });

  test('is demanded of the epochs that both have', () => {
    const short = { epochs: 4, chosenEpoch: 4, preferredEpoch: 4, trainLosses: [0.08, 0.06, 0.05, 0.04] };
    const layers = exampleRun().layers.slice(0, 3);
    expect(judge(rule, { ...short, layers })).toMatchObject({ state: 'ok' });
    expect(judge(rule, { ...short, layers, trainLosses: [0.08, 0.06, 0.05, 0.041] })?.state).toBe('failed');
  });
});

test('another schedule of the learning rate fails on every engine', () => {
  const layers = exampleRun().layers.map((one) => ({ ...one, learningRate: 0.004 }));
  expect(judge('learning rate', { engine: 'tfjs 4.22.0 cpu', layers })).toMatchObject({
    state: 'failed',
    text: expect.stringContaining('epoch 1 0.004, 0.005 in the baseline'),
  });
});

test('another mean τ fails, also where a layer has one', () => {
  const means = (tauMeans: readonly number[]) => ({
    engine: 'native x avx512',
    layers: exampleRun().layers.map((one) => ({ ...one, tauMeans, tauStds: [0, 0] })),
  });
  expect(judge('τ', means([2, 1.92]))?.state).toBe('ok');
  expect(judge('τ', means([2, 2]))).toMatchObject({
    state: 'failed',
    text: expect.stringContaining('layer 1, epoch 1 2, 1.9 in the baseline'),
  });
});

describe('the chosen epoch', () => {
  const rule = 'chosen epoch';

  test('must be the one that the recorded accuracies demand', () => {
    expect(
      judge(
        rule,
        { preferredEpoch: 5, settings: { 'compat.selection': 'validation' } },
        {
          settings: { 'compat.selection': 'validation' },
        },
      ),
    ).toMatchObject({
      state: 'failed',
      text: 'epoch 7 was evaluated, but by the recorded accuracies it has to be epoch 5 (compat.selection: validation)',
    });
    expect(judge(rule, { preferredEpoch: null })?.state).toBe('skipped');
  });

  test('must be as good in the evaluation as in the training, but for three of a hundred clips on another engine', () => {
    expect(judge(rule, { rightInTraining: 91 })?.text).toBe(
      'the evaluation has 90 of 100 test clips right, the training had 91 with the same weights, allowed ±0',
    );
    expect(judge(rule, { rightInTraining: 93, evaluationEngine: 'other' })?.state).toBe('ok');
    expect(judge(rule, { rightInTraining: 94, evaluationEngine: 'other' })?.state).toBe('failed');
    expect(judge(rule, { rightInTraining: null })?.state).toBe('ok');
  });
});

describe('a verdict on a claim', () => {
  const isWorse = (now: Verdict, id: string) =>
    judgeVerdicts(exampleBaseline(), [{ id, statement: 's', measured: null, reason: 'r', verdict: now }])[0]
      ?.isWorse;

  test('fails only if it got worse than in the baseline', () => {
    expect(isWorse('reproduced', 'spread')).toBe(false);
    expect(isWorse('inconclusive', 'spread')).toBe(true);
    expect(isWorse('not-applicable', 'spread')).toBe(false);
    expect(isWorse('reduced-scale', 'spread')).toBe(false);
    expect(isWorse('not-reproduced', 'no-difference')).toBe(true);
    expect(isWorse('inconclusive', 'no-difference')).toBe(false);
  });

  test('that the baseline does not have fails if it is not reproduced', () => {
    expect(isWorse('not-reproduced', 'toString')).toBe(true);
    expect(isWorse('inconclusive', 'new')).toBe(false);
    expect(isWorse('reduced-scale', 'new')).toBe(false);
  });

  test('that the baseline only measured at reduced scale fails if it is not reproduced', () => {
    const before = { claims: { a: 'reduced-scale' } } as const;
    const judge = (verdict: Verdict) =>
      judgeVerdicts(before, [{ id: 'a', statement: 's', measured: null, reason: 'r', verdict }])[0]?.isWorse;
    expect(judge('not-reproduced')).toBe(true);
    expect(judge('inconclusive')).toBe(false);
  });
});
