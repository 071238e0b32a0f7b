import { expect, test } from 'vitest';
import { spreadInterval } from '../../src/verdicts/stats/crossed.ts';
import { type Arm, armsOf, type BaselineRun, intervalOf, points, readLine } from './kept-results.ts';
import { readPage } from './pages.ts';

test('README.md says of the spoken words what their runs gave', () => {
  const { 'no-reg': noReg, broad, 'broad-fixed': fixed } = armsOf('words');
  const { 'broad-gain': gain } = armsOf('words-rate');
  const { 'broad-gain': wide } = armsOf('words-wide');
  const row = (arm: Arm) => ` | +${points(arm.difference)} | ${intervalOf(arm)} |`;
  const readme = readPage('README.md').split('\n');
  for (const [start, arm] of [
    ['| a learned τ per neuron, instead of one per layer', noReg!],
    ['| τ that start far apart, learned or not, instead of one per layer', broad!],
    ['| different τ instead of one long τ per layer, with the same gain and learning rate', gain!],
    ['| the same in a layer of 256 with dropout, each at the rate chosen for it before', wide!],
  ] as const) {
    expect(readme).toContain(start + row(arm));
    expect(arm.verdict).toBe('different');
  }
  expect(fixed).toMatchObject({ verdict: 'different' });
  expect(points(fixed!.difference)).toBe(points(broad!.difference));
});

test('README.md says of rows of images and of simulated gestures what their runs gave', () => {
  const readme = readLine('README.md');
  const rows = armsOf('rows')['no-reg']!;
  expect(readme).toContain(
    `${points(rows.difference)} points more accurate than one per layer (95 % interval ${intervalOf(rows)})`,
  );
  const losses = Object.values(armsOf('arms'))
    .filter(({ verdict }) => verdict === 'different')
    .map(({ difference }) => -difference);
  const [least, most] = [Math.min(...losses), Math.max(...losses)].map(points);
  expect(readme).toContain(`${least} to ${most} points less accurate`);
});

test('docs/question.md says in words what its tables cannot', () => {
  const equivalent = (arms: readonly Arm[]) => arms.filter(({ verdict }) => verdict === 'equivalent');
  const { question } = JSON.parse(readPage('results/arms/claims.json'));
  expect(equivalent(question.second.arms).map(({ model }) => model)).toEqual(
    equivalent(question.arms).map(({ model }) => model),
  );
  const { runs }: { runs: (BaselineRun & { accuracies: { test: number[] } })[] } = JSON.parse(
    readPage('configs/baselines/words.json'),
  );
  const lastOf = (model: string) =>
    new Map(runs.filter((run) => run.model === model).map((run) => [run.seed, run.accuracies.test.at(-1)!]));
  // Widened for overlapping training sets: six people are tested, and 24 learned from.
  for (const model of ['no-reg', 'broad']) {
    const differences = [...lastOf(model)].map(([seed, right]) => right - lastOf('baseline').get(seed)!);
    const count = differences.length;
    const mean = differences.reduce((sum, one) => sum + one, 0) / count;
    const variance = differences.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (count - 1);
    const error = Math.sqrt(variance * (1 / count + 6 / 24));
    expect(spreadInterval(mean, { error, degrees: count - 1 }, 0.95).low).toBeGreaterThan(0);
  }
  // Undecided in `width`: each network of τ per neuron may equal one that is as wide or as narrow.
  const widths = readPage('results/width/figures/simulated-widths.csv').trim().split('\n');
  const neurons = widths.map((row) => row.split(',')).filter(([, per]) => per === 'neuron');
  expect(neurons).toHaveLength(4);
  for (const [, , channels, , , , , , low, high] of neurons) {
    expect(low === 'below' || Number(low) <= Number(channels)).toBe(true);
    expect(high === 'above' || Number(high) >= Number(channels)).toBe(true);
  }
});
