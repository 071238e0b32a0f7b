import { describe, expect, test } from 'vitest';
import type { Baseline, RunFacts } from '../../../src/report/baseline/baseline.ts';
import { judgeBaseline } from '../../../src/report/baseline/judge.ts';
import { exampleBaseline, exampleRun } from './example.ts';

const baseline = exampleBaseline();

/** The rules that fail, and what they say. */
function failures(now: Baseline, isSelection = false, before = baseline): string[] {
  return judgeBaseline(before, now, isSelection)
    .filter(({ state }) => state === 'failed')
    .map(({ rule, subject, text }) => `${rule}: ${subject}: ${text}`);
}

/** Results of another instruction set, so that tolerances apply. */
const withRun = (over: Partial<RunFacts>): Baseline =>
  exampleBaseline({ runs: [exampleRun({ engine: 'native 0123456789ab avx512 GCC 12.4.0', ...over })] });

describe('results that are those of the baseline', () => {
  test('pass every rule', () => {
    const findings = judgeBaseline(baseline, exampleBaseline(), false);
    expect(findings.map(({ rule, state }) => [rule, state])).toEqual([
      ['frames', 'ok'],
      ['frames', 'ok'],
      ['runs', 'ok'],
      ['settings', 'ok'],
      ['same digits', 'ok'],
      ['first batches', 'ok'],
      ['learning rate', 'ok'],
      ['loss', 'ok'],
      ['spike rates', 'ok'],
      ['τ', 'ok'],
      ['σ(τ)', 'ok'],
      ['chosen epoch', 'ok'],
      ['accuracy', 'ok'],
    ]);
  });

  test('have nothing to compare in σ(τ) if a layer has one τ', () => {
    const flat = withRun({ layers: exampleRun().layers.map((layer) => ({ ...layer, tauStds: [0, 0] })) });
    const findings = judgeBaseline(flat, flat, false);
    expect(findings.find(({ rule }) => rule === 'σ(τ)')).toMatchObject({ state: 'skipped' });
  });
});

test('the answers to a question must not contradict those of the baseline', () => {
  const before = exampleBaseline({
    question: { a: 'different', b: 'equivalent', c: 'undecided', d: 'equivalent', f: 'equivalent' },
  });
  const now = exampleBaseline({
    question: { a: 'equivalent', b: 'undecided', c: 'undecided', e: 'different', f: 'slight' },
  });
  const found = judgeBaseline(before, now, false).filter(({ rule }) => rule === 'question');
  expect(found.map(({ subject, state, text }) => [subject, state, text])).toEqual([
    ['a', 'failed', 'equivalent; in the baseline: different'],
    ['b', 'noted', 'undecided; in the baseline: equivalent'],
    ['c', 'ok', 'undecided; in the baseline: undecided'],
    ['d', 'noted', 'none; in the baseline: equivalent'],
    ['f', 'noted', 'different, but by less than the margin; in the baseline: equivalent'],
    ['e', 'noted', 'different; in the baseline: none'],
  ]);
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
      'frames: test frames: as many clips and events, but with other content',
    ]);
    const relabelled = { ...tested, list: 'f'.repeat(64) };
    expect(failures(exampleBaseline({ frames: { train, test: relabelled } }))).toEqual([
      'frames: test frames: the same counts, but clips.json gives them other recordings or classes',
    ]);
  });
});

describe('settings', () => {
  test('that differ are named, and nothing else of that run is compared', () => {
    const now = withRun({
      settings: { ...exampleRun().settings, 'training.learningRate': 0.01 },
      trainLosses: Array(8).fill(9),
    });
    expect(failures(now)).toEqual(['settings: no-reg, seed 2020: train.learningRate: 0.005 → 0.01']);
    expect(judgeBaseline(baseline, now, false).map(({ rule }) => rule)).toEqual([
      'frames',
      'frames',
      'runs',
      'settings',
    ]);
  });
});

describe('models and seeds', () => {
  test('must be the same, unless --set selected some of them, which is told', () => {
    const both = exampleBaseline({ runs: [exampleRun(), exampleRun({ model: 'baseline' })] });
    expect(failures(both)).toEqual(['runs: baseline, seed 2020: is not in the baseline']);
    expect(failures(baseline, false, both)).toEqual([
      'runs: baseline, seed 2020: is in the baseline, but was not run',
    ]);
    expect(failures(both, true)).toEqual([]);
    expect(judgeBaseline(baseline, both, true)).toContainEqual(
      expect.objectContaining({
        rule: 'runs',
        subject: 'baseline, seed 2020',
        state: 'skipped',
        text: 'not compared: it is not in the baseline, and --set selects models or seeds',
      }),
    );
    expect(failures(withRun({ seed: 1 }), true)).toEqual(['runs: all runs: none of them is in the baseline']);
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
    // 200 of 10,000 neurons spike: 14 of them may flip, and 0.25 %.
    expect(failures(changed(1, { spikeRates: [0.1, 0.0214] }))).toEqual([]);
    expect(failures(changed(1, { spikeRates: [0.1, 0.0216] }))[0]).toContain(
      'spike rate of layer 1, batch 1',
    );
    expect(failures(changed(4, { spikeRates: [0.1, 0.0204] }))).toEqual([]);
    expect(failures(changed(4, { spikeRates: [0.1, 0.024] }))).toHaveLength(1);
    expect(failures(changed(8, { spikeRates: [0.1, 0.024] }))).toEqual([]);
    expect(failures(changed(8, { spikeRates: [0.1, 0.04] }))[0]).toContain('layer 1, batch 8');
  });

  test('may flip eight spikes of a small layer, and four times as many on another kind of engine', () => {
    const silent = [{ batch: 2, loss: 0.09, spikeRates: [0.1, 0.0001] }];
    const before = exampleBaseline({ runs: [exampleRun({ firstBatches: silent })] });
    const flipped = (spikes: number, engine: string) =>
      failures(
        withRun({ engine, firstBatches: [{ ...silent[0]!, spikeRates: [0.1, 0.0001 + spikes / 10_000] }] }),
        false,
        before,
      );
    expect(flipped(8, 'native avx512')).toEqual([]);
    expect(flipped(9, 'native avx512')).toHaveLength(1);
    expect(flipped(32, 'tfjs 4.22.0 cpu')).toEqual([]);
    expect(flipped(34, 'tfjs 4.22.0 cpu')).toHaveLength(1);
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

  test('shows a collapse of the last epochs, however long the training was', () => {
    const long = (last: number): Partial<RunFacts> => ({
      epochs: 32,
      trainLosses: Array.from({ length: 32 }, (_, i) => (i < 29 ? 0.01 : last)),
    });
    const before = exampleBaseline({ runs: [exampleRun(long(0.01))] });
    expect(failures(withRun(long(0.03)), false, before)).toEqual([]);
    // Three of the last four epochs at a factor of 9: 9 ** (3 / 4) = 5.2, but of the last sixteen only 1.5.
    expect(failures(withRun(long(0.09)), false, before)[0]).toMatch(
      /epochs 17 to 32 0.0151 \(\+51 %, allowed factor 2\); epochs 29 to 32 0.05196 \(\+420 %, allowed factor 2.5\)/,
    );
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
    test: { ...exampleRun().test, wrong: Array.from({ length: 60 }, (_, i) => i) },
  });

  test('is compared on its epochs, and its accuracy is not judged', () => {
    expect(failures(short, true)).toEqual([]);
    expect(judgeBaseline(baseline, short, true).at(-1)).toMatchObject({
      rule: 'accuracy',
      state: 'skipped',
      text: 'not judged after 4 epochs: the baseline was trained for 8 epochs',
    });
  });
});

describe('accuracy', () => {
  const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);
  const wrong = (clips: readonly number[]): Baseline =>
    withRun({ test: { ...exampleRun().test, wrong: clips } });

  test('fails from so many lost clips on that a coin would show them in less than one of a hundred cases', () => {
    // One run: 2^-6 is above 1 %, 2^-7 below.
    expect(failures(wrong(range(0, 16)))).toEqual([]);
    expect(failures(wrong(range(0, 17)))).toEqual([
      'accuracy: no-reg, seed 2020: 83 of 100 test clips right, 90 in the baseline; 7 lost and 0 gained, p = 0.0078 if clips differ independently; fails if p ≤ 0.01 over all runs, at the latest with 7 lost and 0 gained (−7.0 points)',
    ]);
    // 9 of 10 differing clips lost: p = 11/1024; of 11: 12/2048.
    expect(failures(wrong([...range(1, 10), ...range(10, 19)]))).toEqual([]);
    expect(failures(wrong([...range(1, 10), ...range(10, 20)]))).toHaveLength(1);
  });

  const models = ['a', 'b', 'c', 'd'];
  /** What fails of four runs with these wrong clips, each of which had the first ten wrong before. */
  const failuresOfFour = (wrongOf: (model: number) => readonly number[]): string[] => {
    const runs = models.map((model, i) =>
      exampleRun({ model, engine: 'native avx512', test: { ...exampleRun().test, wrong: wrongOf(i) } }),
    );
    const before = exampleBaseline({ runs: models.map((model) => exampleRun({ model })) });
    return failures(exampleBaseline({ runs }), false, before);
  };

  test('takes the number of runs into account (Holm)', () => {
    // Others gain two clips each, so that all together have lost few. Half of 1 %: 4 · 2^-9 is above it, 4 · 2^-10 below.
    const lose = (lost: number) => failuresOfFour((i) => (i === 1 ? range(0, 10 + lost) : range(2, 10)));
    expect(lose(9)).toEqual([]);
    expect(lose(10).join()).toMatch(/^accuracy: b, seed 2020: /);
  });

  test('fails if all models lose clips together of which none has lost enough', () => {
    const lose = (clips: (model: number) => readonly number[]) =>
      failuresOfFour((i) => [...range(0, 10), ...clips(i)]);
    // Two others each: eight clips are lost, once each, p = 2^-8. One fewer: 2^-7 is above 0.5 %.
    expect(lose((i) => range(10 + 2 * i, 12 + 2 * i))).toEqual([
      "accuracy: all runs: 8 lost and 0 gained in 4 runs, −2.0 points, p = 0.0039 if clips differ independently; fails if p ≤ 0.005 (sign-flip test of the clips' sums)",
    ]);
    expect(lose((i) => range(10 + 2 * i, i === 3 ? 17 : 12 + 2 * i))).toEqual([]);
    // The same seven clips in each are no more than seven coins.
    expect(lose(() => range(10, 17))).toEqual([]);
  });

  test('never fails because clips were gained', () => {
    expect(failures(wrong([]))).toEqual([]);
    expect(judgeBaseline(baseline, wrong([]), false).at(-1)).toMatchObject({
      state: 'noted',
      text: expect.stringContaining('A gain with p = 1e-3. This is more than chance explains'),
    });
  });

  test('fails on other clips under the same settings', () => {
    const now = withRun({ test: { ...exampleRun().test, list: 'b'.repeat(64), wrong: range(0, 100) } });
    expect(failures(now)).toEqual([
      'accuracy: no-reg, seed 2020: predictions.csv has other test clips or classes than the baseline, under the same settings',
    ]);
  });
});
