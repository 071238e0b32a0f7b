import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { encodeEventFileHeader, encodeScalarEvents } from '../../src/formats/tfevents.ts';
import type { QuestionSettings } from '../../src/report/data/question.ts';
import stage from '../../stages/report.ts';
import { type MadeUp, QUICK, writeMadeUpResults } from '../report/made-up-results.ts';
import { spaced } from '../report/result-values.ts';
import { parseRecords } from '../support/csv-records.ts';
import { makeContext } from '../support/stage-context.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const CLAIMS = resolve(import.meta.dirname, '../../configs/claims.yaml');
const SCRIPT = resolve(import.meta.dirname, '../../dist/explore.js');

let folder: string;
beforeEach(async () => {
  folder = await temporaryFolder();
});

/** Of a run on simulated gestures. */
const FIGURES = [
  'accuracy',
  'accuracy-by-model',
  'confusion',
  'latency',
  'loss',
  'network',
  'outcomes',
  'tau',
  'tau-changes',
  'tau-neurons',
];

async function report(made: MadeUp, place = 'a', logs?: string, question?: QuestionSettings) {
  const sources = await writeMadeUpResults(join(folder, place), made);
  const output = join(folder, place, 'out');
  const context = makeContext(
    { models: made.models, seeds: made.seeds, report: { title: 'A run', ...(question && { question }) } },
    {
      ...{ manifest: sources.verify, trained: sources.train, evaluations: sources.evaluate },
      ...{ frames: dirname(sources.examples), claims: CLAIMS, explore: SCRIPT, dataset: sources.dataset },
      models: made.models.map((model) => join(sources.models, `${model}.yaml`)),
      ...(logs === undefined ? {} : { logs }),
    },
    [output],
  );
  await stage.run(context);
  return { output, said: context.said };
}

async function readAll(output: string): Promise<Map<string, string>> {
  const names = (await readdir(output, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  return new Map(
    await Promise.all(
      names
        .sort()
        .map(async (name) => [name.slice(output.length + 1), await readFile(name, 'utf8')] as const),
    ),
  );
}

describe('the report stage', () => {
  it('writes the page, the Markdown, and each figure with its data', async () => {
    const { output, said } = await report(QUICK);
    expect([...(await readAll(output)).keys()]).toEqual([
      'claims.json',
      ...Array.from({ length: 11 }, (_, index) => `clips/simulated-${String(index).padStart(2, '0')}.png`),
      'explore.html',
      'figures/index.json',
      ...FIGURES.flatMap((name) => [`figures/simulated-${name}.csv`, `figures/simulated-${name}.svg`]).sort(),
      'index.html',
      'report.md',
    ]);
    const { simulated, claims } = JSON.parse(await readFile(join(output, 'claims.json'), 'utf8'));
    expect(simulated).toBe(true);
    expect(new Set(claims.map((claim: { verdict: string }) => claim.verdict))).toEqual(
      new Set(['not-applicable']),
    );
    expect(said.progress.at(-1)).toBe(`${FIGURES.length}/${FIGURES.length} figures`);
    expect(said.metrics.figures).toBe(FIGURES.length);
    expect(said.metrics['testAccuracy.baseline']).toBeGreaterThan(0.5);
  });

  it('answers the question of the profile in the page and in claims.json', async () => {
    const question = { baseline: 'baseline', margin: 0.02 };
    const { output, said } = await report(
      { ...QUICK, models: ['baseline', 'no-reg'], seeds: [1, 2, 3] },
      'a',
      undefined,
      question,
    );
    const files = await readAll(output);
    const { question: answer } = JSON.parse(files.get('claims.json') ?? '');
    expect(answer).toMatchObject({ ...question, arms: [{ model: 'no-reg' }] });
    expect(said.notes).toEqual([expect.stringMatching(/^On simulated recordings, .* Baseline.*points/)]);
    expect(files.get('figures/simulated-question.csv')).toContain('no-reg,baseline,3,6,');
    const answers = parseRecords(files.get('answers.csv') ?? '');
    expect(answers.columns.join()).toBe(
      'clip,user,class,baseline@1,baseline@2,baseline@3,no-reg@1,no-reg@2,no-reg@3',
    );
    expect(answers).toHaveLength(96);
    const { test } = JSON.parse(
      await readFile(join(folder, 'a/artifacts/evaluate/no-reg/2/evaluation.json'), 'utf8'),
    );
    expect(answers.filter((row) => row['no-reg@2'] === '1')).toHaveLength(test.correct);
    // It stands before everything else, in the page and in the Markdown.
    for (const [name, first, next] of [
      ['report.md', 'nothing about the thesis', '- Data: '],
      ['index.html', '<h1>', 'explore.html'],
    ] as const)
      expect(spaced(files.get(name) ?? '')).toMatch(
        new RegExp(
          `${first}[\\s\\S]*Does the accuracy differ\\?[\\s\\S]*On simulated recordings, [\\s\\S]* Baseline[\\s\\S]*Six simulated people with 96 clips, each tested by all three seeds of each of two models: six trainings[\\s\\S]*What would change this[\\s\\S]*${next}[\\s\\S]*The question`,
        ),
      );
  });

  it('writes the same bytes for the same inputs in any folder', async () => {
    const small = { ...QUICK, models: ['baseline', 'no-reg'], layers: 3 };
    const first = await readAll((await report(small, 'a')).output);
    const second = await readAll((await report(small, 'elsewhere')).output);
    expect(second).toEqual(first);
    for (const text of first.values()) expect(text).not.toContain(folder);
  });

  it('draws the authors’ logs over its curves if an input names them', async () => {
    const logs = join(folder, 'logs');
    await mkdir(join(logs, 'baseline'), { recursive: true });
    const events = encodeScalarEvents([
      { tag: 'test_accuracy', step: 0, value: 0.5, wallTimeSeconds: 0 },
      { tag: 'val_accuracy', step: 0, value: 0.625, wallTimeSeconds: 0 },
    ]);
    await writeFile(join(logs, 'baseline', 'a.tfevents'), [encodeEventFileHeader(0), events]);
    const real = { ...QUICK, simulated: false, models: ['baseline', 'no-reg'] };
    const files = await readAll((await report(real, 'a', logs)).output);
    expect(files.get('report.md')).toContain('Baseline epoch 1; none for No Reg.');
    expect(files.get('figures/accuracy.csv')).toContain('baseline,,1,validation,0.625,authors\n');
    expect(files.get('figures/accuracy.svg')).toContain('authors’ logs, in the model’s colour');
    for (const text of files.values()) expect(text).not.toContain(folder);
    const without = await readAll((await report(real, 'b')).output);
    const figures = [...without].filter(([name]) => name.startsWith('figures/'));
    expect(figures.join('')).not.toMatch(/authors/);
  });

  it('reports several seeds with intervals over them, and compares models over seeds and users', async () => {
    const { output } = await report({ ...QUICK, models: ['baseline', 'no-reg'], seeds: [2020, 2021, 2022] });
    const markdown = (await readAll(output)).get('report.md') ?? '';
    expect(markdown).toContain('Accuracy of each run');
    expect(markdown.match(/^\| Baseline \| 202[012] /gm)).toHaveLength(3);
    expect(markdown).toMatch(/^\| Baseline \| mean \| – \| [\d.]+\u00a0%<br>[\d.]+–[\d.]+\u00a0% \|/m);
    expect(markdown).toContain('Tests and intervals are over three seeds and six users; ');
    expect(markdown).toContain('bands the 95\u00a0% interval of the mean over seeds');
  });

  it('with folds of users, counts each clip once, and compares models, but no published values', async () => {
    // Seeds 3, 4 and 5 test folds 0, 1 and 2, a third of the 288 clips each.
    const made = { ...QUICK, simulated: false, folds: true, seeds: [3, 4, 5] } as const;
    const files = await readAll((await report(made)).output);
    const markdown = files.get('report.md') ?? '';
    expect(markdown).toContain('Other people are tested than in the thesis');
    expect(markdown).toMatch(/The models classify .* of 288 test clips correctly/);
    expect(markdown).toContain('Each seed tests a fold of users and trains on the others');
    // The differences stand together above the claims, and no second time in the results.
    const [, claimed = '', results = ''] = spaced(markdown).split(/^## (?:What holds|Results)$/m);
    expect(claimed).toMatch(
      /This run differs from the thesis in:\n\n(?:- .*\n)*- Convolutional layers: 4 instead of 5\n(?:- .*\n)*- Epochs: 12 instead of 1 256\n(?:- .*\n)*- People tested: 6, each by the seeds of a fold, instead of the official test users\n- Seeds: 3 instead of 1\n/,
    );
    expect(results).not.toContain('Settings differ from');
    expect(markdown).toContain('This run does not use the official split of the table');
    expect(markdown).toMatch(
      /^\| Baseline \| 3 \| 0, 1 \| .*\n\| Baseline \| 4 \| 2, 3 \| .*\n\| Baseline \| 5 \| 4, 5 \|/m,
    );
    expect(markdown).toContain('Tests and intervals are over three seeds and six users; ');
    expect(markdown).not.toContain('Published, maximum');
    const { claims } = JSON.parse(files.get('claims.json') ?? '');
    const saysOf = (id: string) => claims.find((claim: { id: string }) => claim.id === id);
    expect(saysOf('test-baseline')).toMatchObject({
      verdict: 'reduced-scale',
      reason: expect.stringMatching(
        /^Smaller .*folds of users instead of the official test users; .* Published: 95.5/,
      ),
    });
    expect(saysOf('no-difference')).toMatchObject({
      verdict: 'not-applicable',
      reason: 'Each seed tests other people (dataset.folds), not the official test clips.',
    });
    // Of the first seed's fold: the first clips of users 0 and 1, wherever they are in the list of all 288.
    const shown = [...(files.get('explore.html') ?? '').matchAll(/"id":"test-(\d+)"/g)].map(([, row]) =>
      Number(row),
    );
    expect(shown.length).toBeGreaterThan(10);
    expect(shown.every((row) => row % 6 < 2)).toBe(true);
    expect(Math.max(...shown)).toBeGreaterThan(192);
  });
});
