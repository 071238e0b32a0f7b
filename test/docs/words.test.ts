import { expect, test } from 'vitest';
import { type AnswerTable, sumCells } from '../../src/verdicts/answers.ts';
import { measureContrasts } from '../../src/verdicts/contrasts.ts';
import { spreadInterval } from '../../src/verdicts/stats/crossed.ts';
import { formatBarePoints, formatBareRange } from '../../src/verdicts/words.ts';
import {
  type Arm,
  armsOf,
  type BaselineRun,
  intervalOf,
  percentOf,
  points,
  readLine,
  tableOf,
} from './kept-results.ts';
import { readPage } from './pages.ts';

test('README.md says of the spoken words what their run gave', () => {
  const { question } = JSON.parse(readPage('results/words/claims.json'));
  const found = (id: string) => question.arms.find(({ model }: { model: string }) => model === id);
  const range = (id: string) => formatBareRange(found(id)).replaceAll('\u00a0', ' ');
  const readme = readPage('README.md').replace(/\s+/g, ' ');
  expect(readme).toContain(`3.2 points more accurate than one per layer (95 % interval ${range('no-reg')})`);
  expect(readme).toContain(`are 4.1 (${range('broad')}), learned or not`);
  const shown = ['no-reg', 'broad', 'broad-fixed'].map((id) => formatBarePoints(found(id).difference));
  expect(shown).toEqual(['+3.2', '+4.1', '+4.1']);
  const partners = JSON.parse(readPage('results/words-partners/claims.json')).question.arms;
  expect(partners).toContainEqual(
    expect.objectContaining({ model: 'broad-gain', baseline: 'plif-9-gain', verdict: 'equivalent' }),
  );
});

test('docs/question.md says of spoken words what the results say', () => {
  const page = readLine('docs/question.md');
  const arms = armsOf('words');
  const say = (arm: Arm) => `${points(arm.difference)} points more accurate than`;
  expect(page).toContain(
    `\`no-reg\` is ${say(arms['no-reg']!)} one learned τ per layer (95 % interval ${intervalOf(arms['no-reg']!)}); 29 of 30 people gain`,
  );
  expect(page).toContain(`\`broad\` is ${say(arms.broad!)} \`baseline\` (${intervalOf(arms.broad!)})`);
  expect(arms['fixed-spread']).toMatchObject({ verdict: 'different' });
  expect(arms['fixed-spread']!.difference).toBeLessThan(0);
  for (const model of ['lambda-0.01', 'lambda-0.1', 'plif-9-gain', 'broad-gain'])
    expect(arms[model]!.verdict).toBe('equivalent');
  const partners = armsOf('words-partners');
  expect([partners.broad!.verdict, partners['broad-gain']!.verdict]).toEqual(['equivalent', 'equivalent']);
  expect(page).toContain(
    `+${points(partners['broad-gain']!.difference)} points (${intervalOf(partners['broad-gain']!)})`,
  );
  const shuffled = armsOf('words-shuffled');
  const lost = ['no-reg', 'broad'].map((model) => points(-shuffled[`${model}-shuffled`]!.difference));
  expect(page).toContain(`*less* accurate than \`baseline\`, by ${lost.join(' and ')} points`);
  expect(page).toContain(
    `is ${points(-arms.memoryless!.difference)} points worse than \`baseline\`, but that is not only memory of the order: on shuffled frames, ` +
      `\`baseline\` is ${percentOf('words-shuffled', 'baseline-shuffled')} % right, and \`memoryless\` in order ${percentOf('words', 'memoryless')}.`,
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
  expect(people('no-reg', 'baseline')).toBe(29);
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
    `by ${noReg![0]} points for \`no-reg\` (${noReg![1]}) and ${broad![0]} for \`broad\` (${broad![1]}; both not stated before)`,
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
