import { expect, test } from 'vitest';
import { type AnswerTable, sumCells } from '../../src/verdicts/answers.ts';
import { measureContrasts } from '../../src/verdicts/contrasts.ts';
import { spreadInterval } from '../../src/verdicts/stats/crossed.ts';
import {
  type Arm,
  armsOf,
  type BaselineRun,
  intervalOf,
  percentOf,
  points,
  readChanges,
  readLine,
  tableOf,
} from './kept-results.ts';
import { readPage } from './pages.ts';

test('README.md says of the spoken words what their run gave', () => {
  const readme = readLine('README.md');
  const { 'no-reg': noReg, broad, 'broad-fixed': fixed } = armsOf('words');
  const say = (arm: Arm) => `${points(arm.difference)} points more accurate than one per layer`;
  expect(readme).toContain(`${say(noReg!)} (95 % interval ${intervalOf(noReg!)})`);
  expect(readme).toContain(
    `far apart are ${points(broad!.difference)} (${intervalOf(broad!)}), even if they are not`,
  );
  expect(points(fixed!.difference)).toBe(points(broad!.difference));
  const { 'broad-gain': gain } = armsOf('words-rate');
  expect(readme).toContain(`${points(gain!.difference)} points better (${intervalOf(gain!)})`);
  for (const arm of [noReg!, broad!, fixed!, gain!]) expect(arm).toMatchObject({ verdict: 'different' });
});

test('the table of spoken words in docs/question.md is from docs/results.md', () => {
  const cells = (page: string) =>
    readPage(page)
      .split('\n')
      .filter((line) => line.startsWith('| `words'))
      .map((line) => line.split(' | '));
  const told = cells('docs/question.md').filter((row) => row.length === 6);
  const made = cells('docs/results.md').map((row) => [...row.slice(0, 5), `${row[6]} |`].join(' | '));
  expect(told.length).toBeGreaterThan(10);
  expect(told.map((row) => row.join(' | ')).filter((row) => !made.includes(row))).toEqual([]);
});

test('docs/question.md says of spoken words what else the results say', () => {
  const page = readLine('docs/question.md');
  const { memoryless } = armsOf('words');
  expect(page).toContain(
    `is ${points(memoryless!.difference)} points worse than \`baseline\`, but that is not only memory of the order: on shuffled frames, ` +
      `\`baseline\` still gets ${percentOf('words-shuffled', 'baseline-shuffled')} % right`,
  );
  const shares = Object.keys(armsOf('words'))
    .map((model) => percentOf('words', model))
    .sort();
  const [worst, second, best] = [shares[0]!, Number(shares[1]).toFixed(0), Number(shares.at(-1)).toFixed(0)];
  expect(page).toContain(`which get ${second} to ${best} % of the words right (\`memoryless\` ${worst})`);
  const kept = readChanges('words/figures/tau-changes.csv').filter(
    ({ change }) => change === 'permuted-gain-kept',
  );
  const [noReg, broad] = ['no-reg', 'broad'].map((of) => kept.find(({ model }) => model === of)!);
  expect([noReg!.isSure, broad!.isSure]).toEqual([true, true]);
  expect(page).toContain(
    `\`no-reg\` loses ${points(noReg!.difference)} points and \`broad\` ${points(broad!.difference)}.`,
  );
});

test('docs/question.md has comparisons of spoken words that were not stated before', () => {
  const page = readLine('docs/question.md');
  const [ordered, shuffled] = [tableOf('words'), tableOf('words-shuffled')];
  const seeds = [...ordered.arms.get('baseline')!.keys()];
  const measure = (table: AnswerTable, model: string, baseline: string) => {
    const { difference, certainty } = measureContrasts([sumCells(table, seeds, model, baseline)], {
      margin: 0,
    })[0]!;
    return { difference, ...certainty!.interval };
  };
  const people = (model: string, baseline: string) => {
    const gains = new Map<string, number>();
    for (const seed of seeds) {
      const [ours, theirs] = [model, baseline].map((one) => ordered.arms.get(one)!.get(seed)!);
      for (const [clip, right] of ours!) {
        const person = ordered.groups.get(clip)!;
        gains.set(person, (gains.get(person) ?? 0) + right - theirs!.get(clip)!);
      }
    }
    return [...gains.values()].filter((gain) => gain > 0).length;
  };
  expect(page).toContain(`Of 30 people, ${people('no-reg', 'baseline')} gain.`);
  for (const baseline of ['lambda-0.01', 'plif-9-gain']) {
    const found = measure(ordered, 'no-reg', baseline);
    const than = `${points(found.difference)} points more accurate than \`${baseline}\` (${intervalOf(found)})`;
    expect(page).toContain(than);
  }
  // The advantage of each clip in order, and on shuffled frames.
  const advantages = ['no-reg', 'broad'].map((model) => {
    const of = (table: AnswerTable, end: string, seed: string) => {
      const [ours, theirs] = [model, 'baseline'].map((one) => table.arms.get(one + end)!.get(seed)!);
      return new Map([...ours!].map(([clip, right]) => [clip, right - theirs!.get(clip)!]));
    };
    const arms = new Map([
      ['order', new Map(seeds.map((seed) => [seed, of(ordered, '', seed)]))],
      ['none', new Map(seeds.map((seed) => [seed, of(shuffled, '-shuffled', seed)]))],
    ]);
    return measure({ ...ordered, isScore: true, arms }, 'order', 'none');
  });
  const [noReg, broad] = advantages.map((one) => [points(one.difference), intervalOf(one)]);
  expect(page).toContain(
    `by ${noReg![0]} points for \`no-reg\` (${noReg![1]}) and ${broad![0]} for \`broad\` (${broad![1]}); neither was stated before`,
  );
  const { runs }: { runs: (BaselineRun & { accuracies: { test: number[] } })[] } = JSON.parse(
    readPage('configs/baselines/words.json'),
  );
  const tauOf = (model: string, kept = runs) => {
    const taus = kept.filter((run) => run.model === model).map(({ layers }) => layers.at(-1)!.tauMeans[0]!);
    return (taus.reduce((sum, tau) => sum + tau, 0) / taus.length).toFixed(1);
  };
  const { runs: without } = JSON.parse(readPage('configs/baselines/words-shuffled.json'));
  expect(page).toContain(
    `goes to ${tauOf('baseline-shuffled', without)} steps (in order ${tauOf('baseline')})`,
  );
  expect(page).toContain(`hidden layer is ${tauOf('no-reg')} steps, not longer`);
  const { runs: atOneRate } = JSON.parse(readPage('configs/baselines/words-rate.json'));
  const gained = ['broad-gain', 'plif-9-gain'];
  expect(page).toContain(
    `are alike there (${gained.map((model) => tauOf(model, atOneRate)).join(' and ')} steps)`,
  );
  const shares = gained.map(
    (model) => `${percentOf('words-rate', model)} against ${percentOf('words', model)} %`,
  );
  expect(page).toContain(`at 0.03 than at 0.1: ${shares.join(', and ')}.`);
  const lastOf = (model: string) =>
    new Map(runs.filter((run) => run.model === model).map((run) => [run.seed, run.accuracies.test.at(-1)!]));
  const widened = ['no-reg', 'broad'].map((model) => {
    const differences = [...lastOf(model)].map(([seed, right]) => right - lastOf('baseline').get(seed)!);
    const count = differences.length;
    const mean = differences.reduce((sum, one) => sum + one, 0) / count;
    const variance = differences.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (count - 1);
    // Six people are tested and 24 learned from.
    const error = Math.sqrt(variance * (1 / count + 6 / 24));
    return intervalOf(spreadInterval(mean, { error, degrees: count - 1 }, 0.95));
  });
  expect(page).toContain(`\`no-reg\` is ${widened[0]} and \`broad\` ${widened[1]} points better`);
});
