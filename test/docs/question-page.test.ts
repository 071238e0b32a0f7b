import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { type AnswerTable, sumCells } from '../../src/verdicts/answers.ts';
import { measureContrasts } from '../../src/verdicts/contrasts.ts';
import { spreadInterval, spreadTest } from '../../src/verdicts/stats/crossed.ts';
import { parseRecords } from '../support/csv-records.ts';
import {
  type Arm,
  armsOf,
  type BaselineRun,
  intervalOf,
  percentOf,
  points,
  rangeOf,
  readChanges,
  readLine,
  tableOf,
} from './kept-results.ts';
import { readPage } from './pages.ts';

test('docs/question.md says what the results say of changed τ', () => {
  const page = readLine('docs/question.md');
  const lossOf = (rows: ReturnType<typeof readChanges>, of: string, how: string) => {
    const { difference, isSure } = rows.find(({ model, change }) => model === of && change === how)!;
    expect([of, how, difference < 0, isSure]).toEqual([of, how, true, true]);
    return points(difference);
  };
  const gestures = readChanges('arms/figures/simulated-tau-changes.csv');
  const [mean, permuted] = ['layer-mean', 'permuted'].map((how) => lossOf(gestures, 'no-reg', how));
  expect(page).toContain(
    `it loses ${permuted} points; give every neuron its layer's mean τ, and it loses ${mean} (`,
  );
  expect(readLine('README.md')).toContain(`lose ${permuted} points if these are permuted`);
  const [fixed, broad, fast] = ['broad-fixed', 'broad', 'fast-tau'].map((of) =>
    lossOf(gestures, of, 'permuted'),
  );
  expect(page).toContain(`\`broad-fixed\` ${fixed} points, \`broad\` ${broad}, \`fast-tau\` ${fast}.`);
  const others = gestures.filter(
    ({ model, change }) =>
      change === 'permuted' && ['channel', 'lambda-0.1', 'fixed-spread'].includes(model!),
  );
  expect(others).toHaveLength(3);
  expect(page).toContain(
    `costs at most ${points(Math.min(...others.map(({ difference }) => difference)))} points`,
  );
  const digits = readChanges('nmnist/figures/tau-changes.csv');
  expect(digits).toHaveLength(4);
  for (const { isSure } of digits) expect(isSure).toBe(false);
});

test('docs/question.md and README say of the arms on simulated gestures what the results say', () => {
  const { question } = JSON.parse(readPage('results/arms/claims.json'));
  const byVerdict = (endpoint: { arms: Arm[] }, wanted: string) =>
    endpoint.arms.filter(({ verdict }) => verdict === wanted);
  const alike = ['lif', 'channel', 'no-reg', 'lambda-0.1', 'fixed-spread'];
  for (const endpoint of [question, question.second])
    expect(byVerdict(endpoint, 'equivalent').map(({ model }) => model)).toEqual(alike);
  const worse = byVerdict(question, 'different');
  expect(worse.map(({ model }) => model)).toEqual(['broad', 'broad-fixed', 'fast-tau']);
  const losses = worse.map(({ difference }) => -difference);
  const page = readLine('docs/question.md');
  const range = `${points(Math.min(...losses))} to ${points(Math.max(...losses))} points`;
  expect(page).toContain(`*less accurate*, by ${range} (`);
  expect(readLine('README.md')).toContain(`${range} less accurate`);
  const time = readPage('results/arms/report.md').split('\n## Time\n')[1];
  const row = /^\| Baseline \| ([\d.]+)\s%[^|]*\| ([\d.]+)\s%[^|]*\| ([\d.]+)\s%/m.exec(time ?? '') ?? [];
  const [intact = 0, reversed = 0, shuffled = 0] = row.slice(1).map(Number);
  expect(page).toContain(
    `Shuffled frames cost \`baseline\` ${(intact - shuffled).toFixed(1)} points and reversed ones ${(intact - reversed).toFixed(1)} (`,
  );
});

test('docs/question.md counts the trainings that answer both questions of the positive control', () => {
  const page = readLine('docs/question.md');
  const countBoth = (folder: string, model: string) => {
    const clips = parseRecords(readPage(`results/${folder}/answers.csv`));
    const runs = clips.columns.filter((name) => name.startsWith(`${model}@`));
    expect(runs).toHaveLength(10);
    return runs.filter((run) => clips.filter((clip) => clip[run] === '1').length > 0.75 * clips.length)
      .length;
  };
  const [different, nine, two] = ['broad-gain', 'plif-9-gain', 'baseline'].map((model) => {
    const [low, middle, high] = ['0.04', '0.12', '0.3'].map((rate) => countBoth(`rates/${rate}`, model));
    return `${low}, ${middle} and ${high}`;
  });
  expect(page).toContain(
    `(\`broad-gain\`), ${different} answer both questions at learning rates 0.04, 0.12 and 0.3`,
  );
  expect(page).toContain(`(\`plif-9-gain\`), ${nine}; from 2 (\`baseline\`), ${two}.`);
  const dose = (model: string) => ['1', '2', '3', '4', '6'].map((ratio) => countBoth(`dose/${ratio}`, model));
  expect([dose('broad-gain'), dose('plif-9-gain'), dose('baseline')]).toEqual([
    [10, 9, 10, 10, 10],
    [9, 0, 0, 1, 0],
    [7, 0, 0, 0, 0],
  ]);
  expect(page).toContain(
    'twice as long as the other, 9 of ten trainings of `broad-gain` answer both questions and none with one',
  );
  expect(page).toContain('answers both in 10 and `plif-9-gain` in 9, which is undecided; `baseline` in 7,');
  expect(countBoth('control-long', 'plif-9-gain')).toBe(5);
  expect(countBoth('control-wide', 'broad-gain') - countBoth('control-wide', 'plif-9-gain')).toBe(10);
  const kept = readChanges('control/figures/simulated-tau-changes.csv')
    .filter(({ change }) => change === 'permuted-gain-kept')
    .map(({ difference, isSure }) => (isSure ? difference : 0));
  expect(page).toContain(
    `lose ${points(Math.max(...kept))} to ${points(Math.min(...kept))} points. So the comparison`,
  );
});

test('docs/question.md says of rows of images what the results say', () => {
  const page = readLine('docs/question.md');
  const arms = armsOf('rows');
  const better = points(arms['no-reg']!.difference);
  expect(arms['no-reg']).toMatchObject({ verdict: 'different' });
  expect(page).toContain(
    `is ${better} points more accurate than one learned τ per layer (95 % interval ${intervalOf(arms['no-reg']!)})`,
  );
  expect(readLine('README.md')).toContain(`${better} points more accurate`);
  expect([arms['plif-9-gain']!.verdict, arms.broad!.verdict]).toEqual(['equivalent', 'equivalent']);
  expect(arms['broad-gain']).toMatchObject({ verdict: 'different' });
  expect(page).toContain(
    `is ${points(arms['broad-gain']!.difference)} points better than \`plif-9-gain\` (${intervalOf(arms['broad-gain']!)})`,
  );
  expect(page).toContain(`membranes give ${points(arms.memoryless!.difference)} points in all`);
  const taus = ['baseline', 'plif-9-gain'].map((model) => {
    const { runs } = JSON.parse(readPage('configs/baselines/rows.json'));
    const last = runs
      .filter((run: BaselineRun) => run.model === model)
      .map(({ layers }: BaselineRun) => layers.at(-1)!.tauMeans);
    expect(last).toHaveLength(8);
    return [0, 1].map((layer) =>
      last.reduce((sum: number, of: number[]) => sum + of[layer]! / 8, 0).toFixed(1),
    );
  });
  expect(page).toContain(`\`baseline\` learns ${taus[0]!.join(' and ')} steps`);
  expect(page).toContain(`it is ${taus[1]!.join(' and ')}, and both`);
  expect(page).toContain(`: ${percentOf('rows', 'no-reg')} against ${percentOf('rows', 'baseline')} %`);
  expect(page).toContain(`has ${percentOf('rows', 'memoryless')} %`);
  const permuted = readChanges('rows/figures/tau-changes.csv').filter(({ change }) => change === 'permuted');
  expect(permuted.map(({ isSure }) => isSure)).toEqual([true, true, true]);
  expect(page).toContain(`different τ lose ${rangeOf(permuted)} points`);
  const fixed = armsOf('rows-fixed');
  expect(Object.values(fixed).map(({ model, verdict }) => [model, verdict])).toEqual([
    ['baseline', 'different'],
    ['broad-fixed', 'different'],
    ['broad', 'equivalent'],
  ]);
  expect(page).toContain(
    `is ${points(fixed['broad-fixed']!.difference)} points more accurate than \`lif\` (${intervalOf(fixed['broad-fixed']!)})`,
  );
  expect(page).toContain(`*equivalent* (\`broad\`, +${points(fixed.broad!.difference)} points;`);
  const share = Number(percentOf('rows-fixed', 'broad-fixed')) - Number(percentOf('rows-fixed', 'baseline'));
  expect(page).toContain(`\`broad-fixed\` is ${share.toFixed(1)} points better than \`baseline\``);
});

test('docs/question.md says of trainings without time what the results say', () => {
  const page = readLine('docs/question.md');
  const arms = Object.values(armsOf('without-time'));
  const losses = (end: string) => arms.filter(({ model }) => model.endsWith(end));
  for (const { verdict } of [...losses('-mean'), ...losses('-shuffled')]) expect(verdict).toBe('different');
  expect(page).toContain(
    `On mean frames, networks lose ${rangeOf(losses('-mean'))} points, on shuffled ones ${rangeOf(losses('-shuffled'))};`,
  );
  const { second } = parse(readPage('configs/profiles/without-time.yaml')).report.question;
  const { classes } = parse(readPage('configs/datasets/dvs128-gesture.yaml'));
  const directions = second.classes.map((name: string) => String(classes.indexOf(name)));
  const guessing = ['broad', 'no-reg'].map((model) => {
    const right = percentOf('without-time', model, (clip) => directions.includes(clip.class!));
    return ((Number(right) - 50) / 3).toFixed(1);
  });
  expect(page).toContain(`guessing the direction would cost them ${guessing.join(' to ')}.`);
  const changes = readChanges('without-time/figures/simulated-tau-changes.csv').filter(
    ({ change }) => change === 'permuted',
  );
  const lossOf = (of: string) => points(changes.find(({ model }) => model === of)!.difference);
  expect(page).toContain(
    `costs \`broad\` ${lossOf('broad')} points in order, ${lossOf('broad-shuffled')} on shuffled and ${lossOf('broad-mean')} on mean frames, and \`no-reg\` ${lossOf('no-reg')}, ${lossOf('no-reg-shuffled')} and nothing that was found;`,
  );
  expect(changes.filter(({ isSure }) => !isSure).map(({ model }) => model)).toEqual(['no-reg-mean']);
  const trained = ['baseline', 'no-reg', 'broad'].map((model) =>
    percentOf('without-time', `${model}-shuffled`),
  );
  trained.sort();
  expect(page).toContain(`those that were trained on them ${trained[0]} to ${trained.at(-1)} (`);
  const time = readPage('results/without-time/report.md').split('\n## Time\n')[1]?.split('\n### ')[0] ?? '';
  const seen = [...time.matchAll(/^\|(?:[^|]*\|){3} ([\d.]+)\s%/gm)].map(([, share]) => Number(share)).sort();
  expect(seen).toHaveLength(3);
  expect(page).toContain(`trained in order get ${seen[0]} to ${seen[2]} % of shuffled clips right`);
});

test('docs/question.md compares no-reg on rows with broad-fixed, and with itself on gestures', () => {
  const page = readLine('docs/question.md');
  const [rows, fixed, gestures] = [tableOf('rows'), tableOf('rows-fixed'), tableOf('arms')];
  const measure = (table: AnswerTable, model: string, baseline: string) => {
    const seeds = [...table.arms.get(model)!.keys()];
    return measureContrasts([sumCells(table, seeds, model, baseline)], { margin: 0 })[0]!;
  };
  const both = { ...rows, arms: new Map([...rows.arms, ...fixed.arms]) };
  const { difference, certainty } = measure(both, 'no-reg', 'broad-fixed');
  const said = `${points(difference)} points better than \`broad-fixed\` (${intervalOf({ ...certainty!.interval })}; not`;
  expect(page).toContain(said);
  expect(readLine('README.md')).toContain(
    `${points(difference)} (${intervalOf({ ...certainty!.interval })}) more than with τ that start far apart`,
  );
  const [onRows, onGestures] = [measure(rows, 'no-reg', 'baseline'), measure(gestures, 'no-reg', 'baseline')];
  const [one, two] = [onRows.certainty!, onGestures.certainty!];
  const gain = onRows.difference - onGestures.difference;
  const error = Math.hypot(one.error, two.error);
  const degrees = error ** 4 / (one.error ** 4 / one.degrees + two.error ** 4 / two.degrees);
  const { low, high } = spreadInterval(gain, { error, degrees }, 0.95);
  const write = (share: number) => (100 * share).toFixed(2);
  expect(page).toContain(
    `by ${write(gain)} (95 % interval +${write(low)} to +${write(high)}, p = ${spreadTest(gain, { error, degrees }).toFixed(3)})`,
  );
  const odds = [gestures, rows].map((table) => {
    const [arm = 0, base = 0] = ['no-reg', 'baseline'].map((model) => {
      const answers = [...table.arms.get(model)!.values()].flatMap((items) => [...items.values()]);
      const right = answers.reduce((sum, answer) => sum + answer, 0);
      return Math.log(right / (answers.length - right));
    });
    return (arm - base).toFixed(2);
  });
  expect(page).toContain(`on gestures, ${odds.join(' against ')}.`);
});

test('docs/question.md says of what the thesis leaves open what the results say', () => {
  const page = readPage('docs/question.md');
  const armOf = (profile: string, model: string): Arm => {
    const { question } = JSON.parse(readPage(`results/${profile}/claims.json`));
    return question.arms.find((arm: Arm) => arm.model === model);
  };
  for (const profile of ['arms', 'control', 'fashion-mnist', 'nmnist', 'rows', 'words']) {
    const { verdict, difference } = armOf(profile, profile === 'fashion-mnist' ? 'mnist-neuron' : 'no-reg');
    const better = difference > 0 ? ': more accurate' : ': less accurate';
    expect(page).toContain(`| \`${profile}\` | ${verdict}${verdict === 'different' ? better : ''} |`);
  }
  expect(armOf('fashion-mnist', 'mnist-plif-16')).toMatchObject({ verdict: 'different' });
  expect(armOf('fashion-mnist', 'mnist-plif-16').difference).toBeLessThan(0);
  expect(armOf('control', 'plif-6').verdict).toBe('undecided');
  for (const model of ['broad', 'broad-fixed']) {
    expect(armOf('control', model).verdict).toBe('different');
    expect(armOf('control', model).difference).toBeGreaterThan(0);
  }
  const rows = readPage('results/width/figures/simulated-widths.csv').trim().split('\n');
  const neurons = rows.map((row) => row.split(',')).filter(([, per]) => per === 'neuron');
  expect(neurons).toHaveLength(4);
  for (const [, , channels, , , , , , low, high] of neurons) {
    expect(low === 'below' || Number(low) <= Number(channels)).toBe(true);
    expect(high === 'above' || Number(high) >= Number(channels)).toBe(true);
  }
});
