import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { drawArms } from '../../scripts/results/draw-arms.ts';
import { drawEpochs } from '../../scripts/results/epochs.ts';
import { composePage } from '../../scripts/results/main.ts';
import { listEndpoints, readConfig } from '../../scripts/results/questions.ts';
import { drawSweep } from '../../scripts/results/sweep.ts';
import { formatCsv } from '../../src/formats/csv.ts';
import { answerQuestion, tabulateAnswers } from '../../src/report/data/question.ts';
import { listVerdicts } from '../../src/report/sections/question.ts';
import { makeModelResult, makeRunResult } from '../report/result-values.ts';
import { parseRecords } from '../support/csv-records.ts';
import type { BaselineRun } from './kept-results.ts';
import { readPage, repository } from './pages.ts';

test('docs/results.md and its figures are what `node scripts/results.mjs` makes of results/', async () => {
  expect(readPage('docs/results.md')).toBe(composePage(repository));
  expect(readPage('docs/images/arms.svg')).toBe(await drawArms(repository));
  expect(readPage('docs/images/epochs.svg')).toBe(await drawEpochs(repository));
});

test('a comparison is judged where it has all of its trainings and more, and listed there alone', () => {
  const root = mkdtempSync(path.join(tmpdir(), 'results-'));
  for (const name of ['profiles', 'datasets'])
    mkdirSync(path.join(root, 'configs', name), { recursive: true });
  writeFileSync(path.join(root, 'configs/datasets/digits.yaml'), 'layout: idx');
  const keep = (profile: string, trainings: Record<string, string>) => {
    const designed = JSON.stringify({ dataset: { name: 'digits' }, models: [], seeds: [] });
    writeFileSync(path.join(root, `configs/profiles/${profile}.yaml`), designed);
    const folder = path.join(root, 'results', profile);
    mkdirSync(folder, { recursive: true });
    const arm = { model: 'arm', difference: 0.5, verdict: 'different' };
    const question = { text: '', baseline: 'base', margin: 0.1, arms: [arm] };
    writeFileSync(path.join(folder, 'claims.json'), JSON.stringify({ question }));
    const rows = ['0', '1', '2'].map((clip, at) =>
      [clip, '', '7', ...Object.values(trainings).map((answers) => answers[at])].join(),
    );
    const head = ['clip,user,class', ...Object.keys(trainings)].join();
    writeFileSync(path.join(folder, 'answers.csv'), `${[head, ...rows].join('\n')}\n`);
  };
  const few = { 'base@1': '010', 'arm@1': '110' };
  keep('few', few);
  keep('many', { ...few, 'base@2': '011', 'arm@2': '111' });
  keep('other', { ...few, 'base@1': '000', 'base@2': '011', 'arm@2': '111' });
  const found = listEndpoints(root).map(({ profile, arms: [arm] }) => [profile, arm!.speaker]);
  rmSync(root, { recursive: true });
  expect(found).toEqual([
    ['few', 'many'],
    ['many', undefined],
    ['other', undefined],
  ]);
  const rows = readPage('docs/results.md').split('\n');
  const broad = rows
    .filter((row) => / \| `broad` \| `baseline` \|/.test(row))
    .map((row) => row.split(' | ')[0]);
  expect(broad).toContain('| `arms`');
  expect(broad).not.toContain('| `without-time`');
});

const kept = readdirSync(path.join(repository, 'results'));
const asked = kept.filter((profile) => existsSync(path.join(repository, `results/${profile}/answers.csv`)));

test.each(asked)(
  'the verdicts of %s follow from its answers.csv, which agrees with its baseline',
  (profile) => {
    const { dataset, models: designed, report } = readConfig(repository, `profiles/${profile}`);
    const { classes } = parse(readPage(`configs/datasets/${dataset.name}.yaml`));
    const { runs }: { runs: BaselineRun[] } = JSON.parse(readPage(`configs/baselines/${profile}.json`));
    // A design may be committed before its run.
    const models = designed.filter((id: string) => runs.some(({ model }) => model === id));
    const rows = parseRecords(readPage(`results/${profile}/answers.csv`));
    const answersOf = ({ model, seed, test: { clips, correctByStep } }: BaselineRun) => {
      const column = `${model}@${seed}`;
      // With folds, a training tests some of the clips.
      const tested = rows.filter((row) => row[column] !== '');
      const answers = tested.map(({ clip, user, class: label, [column]: right }) => ({
        ...{
          clip: Number(clip),
          user: user ? Number(user) : null,
          class: Number(label),
          right: right === '1',
        },
      }));
      expect(answers).toHaveLength(clips);
      expect(answers.filter(({ right }) => right)).toHaveLength(correctByStep.at(-1)!);
      return makeRunResult({ seed, answers });
    };
    const results = models.map((id: string) =>
      makeModelResult({ id, runs: runs.filter(({ model }) => model === id).map(answersOf) }),
    );
    expect(formatCsv(tabulateAnswers({ models: results }))).toBe(readPage(`results/${profile}/answers.csv`));
    const { question } = JSON.parse(readPage(`results/${profile}/claims.json`));
    const found = listVerdicts(answerQuestion({ models: results, classes }, report.question)!);
    expect(roundNumbers(found)).toEqual(roundNumbers(question));
  },
);

/** Sums may be rounded in another order. */
function roundNumbers(value: unknown): unknown {
  const round = (_: string, one: unknown) => (typeof one === 'number' ? Number(one.toPrecision(10)) : one);
  return JSON.parse(JSON.stringify(value, round));
}

const swept = kept.filter((profile) =>
  existsSync(path.join(repository, `results/${profile}/${profile}.csv`)),
);

test.each(swept)('what is drawn and told of %s follows from the answers at each value', async (profile) => {
  const drawn = await drawSweep(repository, path.join(repository, 'results', profile), profile);
  expect(drawn).toHaveLength(3);
  for (const [name, text] of drawn) expect(readPage(`results/${profile}/${name}`)).toBe(text);
});

test('its table has a part of each run, with the baselines that its question needs', () => {
  const parts = readPage('docs/results.md').matchAll(
    /^\| \[`(.*?)`\].* `models=\[(.*?)\]` `seeds=\[(\d+)\]` /gm,
  );
  const found = [...parts].map(([, profile, models, seed]) => ({
    profile,
    models: models!.split(', '),
    seed,
  }));
  expect(found.map(({ profile }) => profile).sort()).toEqual(
    kept.filter((one) => !swept.includes(one)).sort(),
  );
  for (const { profile, models, seed } of found) {
    const { runs }: { runs: BaselineRun[] } = JSON.parse(readPage(`configs/baselines/${profile}.json`));
    const ran = runs.map(({ model, seed: of }) => `${model}@${of}`);
    expect(ran).toEqual(expect.arrayContaining(models.map((model) => `${model}@${seed}`)));
    const { question } = readConfig(repository, `profiles/${profile}`).report;
    if (question !== undefined) expect(models).toContain(question.baseline);
  }
});
