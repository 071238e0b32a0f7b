import { describe, expect, test } from 'vitest';
import type { Baseline, RunFacts } from '../../src/baseline/baseline.ts';
import { judgeBaseline } from '../../src/baseline/judge.ts';
import { fewestLost } from '../../src/baseline/rules/accuracy.ts';
import { exampleBaseline, exampleRun } from './example.ts';

const baseline = exampleBaseline();

/** The rules that fail, and what they say. */
function failures(now: Baseline, isPart = false, before = baseline): string[] {
  return judgeBaseline(before, now, isPart)
    .filter(({ state }) => state === 'failed')
    .map(({ rule, subject, text }) => `${rule}: ${subject}: ${text}`);
}

const withRun = (over: Partial<RunFacts>): Baseline => exampleBaseline({ runs: [exampleRun(over)] });

describe('results that are those of the baseline', () => {
  test('pass every rule', () => {
    const findings = judgeBaseline(baseline, exampleBaseline(), false);
    expect(findings.map(({ rule, state }) => [rule, state])).toEqual([
      ['frames', 'ok'],
      ['frames', 'ok'],
      ['settings', 'ok'],
      ['first batches', 'ok'],
      ['loss', 'ok'],
      ['spike rates', 'ok'],
      ['σ(τ)', 'ok'],
      ['accuracy', 'ok'],
    ]);
  });

  test('have nothing to compare in σ(τ) if a layer has one τ', () => {
    const flat = withRun({ layers: exampleRun().layers.map((layer) => ({ ...layer, tauStds: [0, 0] })) });
    const findings = judgeBaseline(flat, flat, false);
    expect(findings.find(({ rule }) => rule === 'σ(τ)')).toMatchObject({ state: 'skipped' });
  });
});

describe('frames', () => {
  test('must be the same to the byte, and swapped polarities are told as such', () => {
    const { train, test: tested } = baseline.frames;
    const swapped = { ...train, sha256: 'f'.repeat(64), events: { off: 2000, on: 1000 } };
    expect(failures(exampleBaseline({ frames: { train: swapped, test: tested } }))).toEqual([
      'frames: training frames: 400 clips, 2000 off and 1000 on events; in the baseline 400 clips, 1000 off and 2000 on events. The two polarities are swapped',
    ]);
    const moved = { ...tested, sha256: 'f'.repeat(64) };
    expect(failures(exampleBaseline({ frames: { train, test: moved } }))).toEqual([
      'frames: test frames: as many clips and events, but other ones',
    ]);
  });

  test('of real recordings are not compared with simulated ones', () => {
    expect(failures(exampleBaseline({ simulated: false }))).toEqual([
      'frames: data set: dvs128-gesture, but the baseline is of simulated dvs128-gesture',
    ]);
  });
});

describe('settings', () => {
  test('that differ are named, and nothing else of that run is compared', () => {
    const now = withRun({
      settings: { ...exampleRun().settings, 'training.learningRate': 0.01 },
      trainLosses: Array(8).fill(9),
    });
    expect(failures(now)).toEqual(['settings: no-reg, seed 2020: training.learningRate: 0.005 → 0.01']);
    expect(judgeBaseline(baseline, now, false).map(({ rule }) => rule)).toEqual([
      'frames',
      'frames',
      'settings',
    ]);
  });

  test('require the same models and seeds, unless --set selected some of them', () => {
    const both = exampleBaseline({ runs: [exampleRun(), exampleRun({ model: 'baseline' })] });
    expect(failures(both)).toEqual(['settings: baseline, seed 2020: is not in the baseline']);
    expect(failures(baseline, false, both)).toEqual([
      'settings: baseline, seed 2020: is in the baseline, but not in the profile',
    ]);
    expect(failures(both, true)).toEqual([]);
    expect(failures(withRun({ seed: 1 }), true)).toEqual([
      'settings: all runs: none of them is in the baseline',
    ]);
  });
});

describe('the first batches', () => {
  const changed = (batch: number, over: object): Baseline =>
    withRun({
      firstBatches: exampleRun().firstBatches.map((one) => (one.batch === batch ? { ...one, ...over } : one)),
    });

  test('are compared tightly at first, and less so later', () => {
    expect(failures(changed(2, { loss: 0.09005 }))).toEqual([]);
    expect(failures(changed(2, { loss: 0.0902 }))[0]).toContain(
      'loss of batch 2 0.0902, 0.09 in the baseline, allowed ±0.00009',
    );
    expect(failures(changed(4, { loss: 0.0902 }))).toEqual([]);
    expect(failures(changed(4, { loss: 0.091 }))).toHaveLength(1);
    expect(failures(changed(8, { loss: 0.091 }))).toEqual([]);
    expect(failures(changed(1, { spikeRates: [0.1, 0.0204] }))[0]).toContain(
      'spike rate of layer 1, batch 1',
    );
    expect(failures(changed(4, { spikeRates: [0.1, 0.0204] }))).toEqual([]);
    expect(failures(changed(4, { spikeRates: [0.1, 0.024] }))).toHaveLength(1);
    expect(failures(changed(8, { spikeRates: [0.1, 0.024] }))).toEqual([]);
    expect(failures(changed(8, { spikeRates: [0.1, 0.04] }))[0]).toContain('layer 1, batch 8');
  });

  test('must have as many layers', () => {
    expect(failures(changed(2, { spikeRates: [0.1, 0.02, 0.3] }))[0]).toContain('in the run only');
  });
});

describe('the loss', () => {
  const losses = (...trainLosses: number[]): string[] => failures(withRun({ trainLosses }));

  test('of the first epoch, of epochs 2 to 4, and of the rest is compared ever more loosely', () => {
    expect(losses(0.082, 0.06, 0.05, 0.04, 0.03, 0.02, 0.01, 0.01)).toEqual([]);
    expect(losses(0.083, 0.06, 0.05, 0.04, 0.03, 0.02, 0.01, 0.01)[0]).toMatch(
      /^loss: .*epoch 1 0.083 \(\+3\.8 %, allowed ±3 %\)/,
    );
    expect(losses(0.08, 0.07, 0.06, 0.046, 0.03, 0.02, 0.01, 0.01)).toEqual([]);
    expect(losses(0.08, 0.09, 0.07, 0.06, 0.03, 0.02, 0.01, 0.01)[0]).toContain('epochs 2 to 4');
    expect(losses(0.08, 0.06, 0.05, 0.04, 0.03, 0.02, 0.02, 0.02)).toEqual([]);
    expect(losses(0.08, 0.06, 0.05, 0.04, 0.06, 0.05, 0.03, 0.02)[0]).toContain('epochs 5 to 8');
    // A loss that is far too small is no improvement to rejoice at.
    expect(losses(0.08, 0.06, 0.05, 0.04, 0, 0, 0, 0)[0]).toContain('epochs 5 to 8');
  });
});

describe('layers', () => {
  const changed = (epoch: number, over: object): string[] =>
    failures(
      withRun({
        layers: exampleRun().layers.map((one) => (one.epoch === epoch ? { ...one, ...over } : one)),
      }),
    );

  test('must spike about as often', () => {
    expect(changed(1, { spikeRates: [0.115, 0.02] })).toEqual([]);
    expect(changed(1, { spikeRates: [0.117, 0.02] })[0]).toMatch(
      /^spike rates: .*layer 0, epoch 1 0.117, 0.1 in the baseline, allowed ±0.016/,
    );
    expect(changed(8, { spikeRates: [0.13, 0.02] })).toEqual([]);
    expect(changed(8, { spikeRates: [0.14, 0.02] })[0]).toContain('layer 0, epoch 8');
  });

  test('must spread their τ about as far', () => {
    expect(changed(1, { tauStds: [0.11, 0.12] })).toEqual([]);
    expect(changed(1, { tauStds: [0.1, 0.135] })[0]).toMatch(
      /^σ\(τ\): .*layer 1, epoch 1 0.135, 0.12 in the baseline/,
    );
    expect(changed(4, { tauStds: [0.1, 0.2] })[0]).toContain('layer 1, epoch 4');
  });
});

describe('a shorter run', () => {
  const short = withRun({
    epochs: 4,
    trainLosses: [0.08, 0.06, 0.05, 0.04],
    layers: exampleRun().layers.slice(0, 3),
    test: { clips: 100, list: 'a'.repeat(64), wrong: Array.from({ length: 60 }, (_, i) => i) },
  });

  test('is compared on its epochs, and its accuracy is not judged', () => {
    expect(failures(short, true)).toEqual([]);
    expect(judgeBaseline(baseline, short, true).at(-1)).toMatchObject({
      rule: 'accuracy',
      state: 'skipped',
      text: 'not judged after 4 epochs: the baseline has that of 8',
    });
  });
});

describe('accuracy', () => {
  const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);
  const wrong = (clips: readonly number[]): Baseline =>
    withRun({ test: { clips: 100, list: 'a'.repeat(64), wrong: clips } });

  test('fails from so many lost clips on that a coin would show them in less than one of a hundred cases', () => {
    // One run: 2^-6 is above 1 %, 2^-7 below.
    expect(failures(wrong(range(0, 16)))).toEqual([]);
    expect(failures(wrong(range(0, 17)))).toEqual([
      'accuracy: no-reg, seed 2020: 83 of 100 test clips right, 90 in the baseline; 7 lost and 0 gained, p = 0.0078; fails if p ≤ 0.01 over all runs, at the latest with 7 lost (7.0 points)',
    ]);
    // 9 of 10 differing clips lost: p = 11/1024; of 11: 12/2048.
    expect(failures(wrong([...range(1, 10), ...range(10, 19)]))).toEqual([]);
    expect(failures(wrong([...range(1, 10), ...range(10, 20)]))).toHaveLength(1);
  });

  test('takes the number of runs into account (Holm)', () => {
    const models = ['a', 'b', 'c', 'd'];
    const before = exampleBaseline({ runs: models.map((model) => exampleRun({ model })) });
    const now = (lost: number) =>
      exampleBaseline({
        runs: models.map((model, i) =>
          exampleRun({
            model,
            test: { clips: 100, list: 'a'.repeat(64), wrong: range(0, i === 1 ? 10 + lost : 10) },
          }),
        ),
      });
    // 4 · 2^-8 is above 1 %, 4 · 2^-9 below.
    expect(failures(now(8), false, before)).toEqual([]);
    expect(failures(now(9), false, before)).toHaveLength(1);
  });

  test('never fails because clips were gained', () => {
    expect(failures(wrong([]))).toEqual([]);
  });

  test('is not judged on other clips', () => {
    const now = withRun({ test: { clips: 100, list: 'b'.repeat(64), wrong: range(0, 100) } });
    expect(judgeBaseline(baseline, now, false).at(-1)).toMatchObject({
      state: 'skipped',
      text: expect.stringContaining('other test clips'),
    });
  });

  test('says when no loss could be certain', () => {
    expect(fewestLost(0, 0.01, 6)).toBeNull();
    expect(fewestLost(0, 0.01, 7)).toBe(7);
    expect(fewestLost(1, 0.01, 100)).toBe(10);
  });
});
