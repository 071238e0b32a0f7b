import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { csvParse } from 'd3-dsv';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { drawArms } from '../../scripts/draw-arms.ts';
import { answerQuestion, tabulateAnswers } from '../../src/report/data/question.ts';
import { toCsv } from '../../src/report/drawing/figure.ts';
import { renderMarkdown } from '../../src/report/page/markdown.ts';
import { buildReport } from '../../src/report/report.ts';
import { listVerdicts } from '../../src/report/sections/question.ts';
import { makeAnswers, makeModelResult, makeResults, makeRunResult } from '../report/result-values.ts';
import { blocks, readPage, repository } from './pages.ts';

interface Arm {
  readonly model: string;
  readonly difference: number;
  readonly verdict: string;
}

interface BaselineRun {
  readonly model: string;
  readonly seed: number;
  readonly test: { readonly clips: number; readonly wrong: readonly number[] };
}

test('docs/results.md and its figure are what `node scripts/results.mjs` makes of results/', async () => {
  const script = path.join(repository, 'scripts/results.mjs');
  const { composePage } = (await import(script)) as { composePage: () => string };
  expect(readPage('docs/results.md')).toBe(composePage());
  expect(readPage('docs/images/arms.svg')).toBe(await drawArms(repository));
});

test('it takes the answer from the top of a report, without what would change it', async () => {
  const { answersOf } = (await import(path.join(repository, 'scripts/results.mjs'))) as {
    answersOf: (report: string, question: string) => string[];
  };
  const models = [modelWith('Baseline', [1, 2, 3]), modelWith('Arm', [2, 3, 3])];
  const results = makeResults({ models, seeds: [1, 2, 3], simulated: true });
  const question = answerQuestion(results, { text: 'Does it differ?', baseline: 'Baseline', margin: 0.02 });
  const report = renderMarkdown(buildReport(results, { title: 'A run', question, judgements: [] }));
  const [asked, verdict, whom, ...rest] = answersOf(report, 'Does it differ?');
  expect([asked, rest]).toEqual(['Does it differ?', []]);
  expect(verdict).toMatch(/^\*\*On simulated recordings, /);
  expect(whom).toMatch(/^Four simulated people with 100 clips/);
});

const modelWith = (id: string, wrong: readonly number[]) =>
  makeModelResult({
    ...{ id, title: id, published: null },
    runs: wrong.map((count, seed) => makeRunResult({ seed, answers: makeAnswers(100 - count, 100) })),
  });

const kept = readdirSync(path.join(repository, 'results'));
const asked = kept.filter((profile) => existsSync(path.join(repository, `results/${profile}/answers.csv`)));

test.each(asked)(
  'the verdicts of %s follow from its answers.csv, which agrees with its baseline',
  (profile) => {
    const { dataset, models: designed, report } = parse(readPage(`configs/profiles/${profile}.yaml`));
    const { classes } = parse(readPage(`configs/datasets/${dataset.name}.yaml`));
    const { runs }: { runs: BaselineRun[] } = JSON.parse(readPage(`configs/baselines/${profile}.json`));
    // A design may be committed before its run.
    const models = designed.filter((id: string) => runs.some(({ model }) => model === id));
    const rows = csvParse(readPage(`results/${profile}/answers.csv`));
    const answersOf = ({ model, seed, test: { clips, wrong } }: BaselineRun) => {
      const answers = rows.map(({ clip, user, class: label, [`${model}@${seed}`]: right }) => ({
        ...{
          clip: Number(clip),
          user: user ? Number(user) : null,
          class: Number(label),
          right: right === '1',
        },
      }));
      expect(answers).toHaveLength(clips);
      expect(answers.flatMap(({ clip, right }) => (right ? [] : [clip]))).toEqual(wrong);
      return makeRunResult({ seed, answers });
    };
    const results = models.map((id: string) =>
      makeModelResult({ id, runs: runs.filter(({ model }) => model === id).map(answersOf) }),
    );
    expect(toCsv(tabulateAnswers({ models: results }))).toBe(readPage(`results/${profile}/answers.csv`));
    const { question } = JSON.parse(readPage(`results/${profile}/claims.json`));
    expect(question).toEqual(listVerdicts(answerQuestion({ models: results, classes }, report.question)!));
  },
);

test('its commands run on any processor, and get the data that a command can get', () => {
  const commands = blocks.filter(({ at }) => at.startsWith('docs/results.md')).map(({ text }) => text.trim());
  expect(commands).toHaveLength(
    kept.filter((name) => !existsSync(path.join(repository, `results/${name}/section.md`))).length,
  );
  for (const command of commands)
    expect(command).toMatch(/^\.\/repro (?:data fetch (?:fashion-mnist|mnist|nmnist) && \.\/repro )?run /);
  const [own, ...others] = commands.filter((command) => !command.includes('repro check'));
  expect([own, others]).toEqual([expect.stringContaining('--profile nmnist'), []]);
});

test('docs/question.md says what the results say of changed τ', () => {
  const rowsOf = (file: string) =>
    csvParse(readPage(`results/${file}-changes.csv`))
      .filter(({ change }) => change !== 'unchanged')
      .map(({ change, difference, p_holm: p }) => ({
        change,
        difference: Number(difference),
        isSure: Number(p) <= 0.05,
      }));
  const control = rowsOf('control/figures/simulated-tau').filter(({ change }) => change !== 'jittered');
  expect(control).toHaveLength(6);
  for (const { difference, isSure } of control) expect([difference < -0.4, isSure]).toEqual([true, true]);
  const digits = rowsOf('nmnist/figures/tau');
  expect(digits).toHaveLength(4);
  for (const { isSure } of digits) expect(isSure).toBe(false);
});

test('docs/question.md says of what the thesis leaves open what the results say', () => {
  const page = readPage('docs/question.md');
  const armOf = (profile: string, model: string): Arm => {
    const { question } = JSON.parse(readPage(`results/${profile}/claims.json`));
    return question.arms.find((arm: Arm) => arm.model === model);
  };
  for (const profile of ['arms', 'control', 'fashion-mnist', 'nmnist']) {
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
