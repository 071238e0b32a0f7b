import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { formatCsv } from '../../src/formats/csv.ts';
import { answerQuestion, tabulateAnswers } from '../../src/report/data/question.ts';
import type { ClipAnswer, Results } from '../../src/report/data/results.ts';
import { formatJudgements } from '../../src/report/sections/claims.ts';
import { describeQuestion, listVerdicts } from '../../src/report/sections/question.ts';
import { randomStream } from '../../src/verdicts/stats/crossed.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { makeModelResult, makeResults, makeRunResult } from './result-values.ts';

const repository = resolve(import.meta.dirname, '../..');

/** Debian's SciPy is for Debian's Python, which need not be the first one. */
const python = ['python3', '/usr/bin/python3'].find(
  (name) => spawnSync(name, ['-c', 'import scipy']).status === 0,
);

interface Design {
  readonly seeds: number;
  /** Each seed tests the users of one. */
  readonly folds: number;
  readonly hasUsers?: boolean;
}

/** Of six users: user 0 has 10 clips, the others 20 each. */
const CLIPS = Array.from({ length: 110 }, (_, clip) => ({
  clip,
  user: Math.ceil(Math.max(0, clip - 9) / 20),
}));

/** An arm that is as good as the baseline, one that is right where the baseline is and elsewhere often, and one that gives the very same answers. */
function makeDesign({ seeds, folds, hasUsers = true }: Design): Pick<Results, 'seeds' | 'models'> {
  const random = randomStream(7);
  const list = Array.from({ length: seeds }, (_, seed) => seed);
  const answersOf = (share: number) =>
    list.map((seed) =>
      CLIPS.filter(({ user }) => user % folds === seed % folds).map(
        ({ clip, user }): ClipAnswer => ({
          ...{ clip, user: hasUsers ? user : null, class: clip % 2 },
          right: random() < share + user / 60 - seed / 50,
        }),
      ),
    );
  const base = answersOf(0.7);
  const better = base.map((answers) =>
    answers.map((one) => ({ ...one, right: one.right || random() < 0.7 })),
  );
  const arms = { baseline: base, same: answersOf(0.7), better, copy: base };
  return {
    seeds: list,
    models: Object.entries(arms).map(([id, answers]) =>
      makeModelResult({ id, runs: answers.map((of, seed) => makeRunResult({ seed, answers: of })) }),
    ),
  };
}

/** By what share of the answers to clips of these classes the better arm has more right, counted. */
function countDifference(design: Design, classes: readonly number[]): number {
  const [base, , better] = makeDesign(design).models.map(({ runs }) =>
    runs.flatMap(({ answers }) => answers.filter((answer) => classes.includes(answer.class))),
  );
  const gained = better!.filter(({ right }, at) => right && !base![at]!.right).length;
  return gained / base!.length;
}

/** What the report stage writes of a question. */
async function writeAnswer(design: Design): Promise<string> {
  const results = makeResults({ ...makeDesign(design), classes: ['even', 'odd'] });
  const second = { text: 'odd clips', classes: ['odd'], margin: 0.1 };
  const question = answerQuestion(results, {
    baseline: 'baseline',
    against: { copy: 'same' },
    margin: 0.05,
    second,
  })!;
  const folder = await temporaryFolder();
  await mkdir(join(folder, 'figures'));
  for (const block of describeQuestion(results, question).blocks)
    if (block.kind === 'figure')
      await writeFile(join(folder, `figures/${block.figure.id}.csv`), formatCsv(block.figure.data));
  await writeFile(join(folder, 'answers.csv'), formatCsv(tabulateAnswers(results)));
  await writeFile(join(folder, 'claims.json'), formatJudgements([], false, listVerdicts(question)));
  return folder;
}

function recompute(...folders: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(python!, ['scripts/recompute.py', ...folders], {
    cwd: repository,
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  return { status, stdout };
}

const designs: readonly (readonly [string, Design, string])[] = [
  ['every seed tests every user', { seeds: 5, folds: 1 }, 'different'],
  ['clips have no users', { seeds: 5, folds: 1, hasUsers: false }, 'different'],
  ['each of three folds has three seeds', { seeds: 9, folds: 3 }, 'different'],
  ['folds have one seed or two', { seeds: 5, folds: 3 }, 'different'],
  ['each fold has one seed', { seeds: 3, folds: 3 }, 'undecided'],
  ['there is one seed', { seeds: 1, folds: 1 }, 'undecided'],
];

describe.skipIf(python === undefined)('scripts/recompute.py', () => {
  test('computes from answers.csv what the report says of both endpoints, for all kinds of seeds and users', async () => {
    const folders = await Promise.all(designs.map(([, design]) => writeAnswer(design)));
    const { status, stdout } = recompute(...folders);
    expect(stdout).toMatch(/\nall as reported\n$/);
    expect(status).toBe(0);
    const lines = stdout.split('\n').filter((line) => line.startsWith('better\t'));
    for (const [index, [name, design, verdict]] of designs.entries()) {
      const [first, second] = [lines[2 * index]!, lines[2 * index + 1]!].map((line) => line.split('\t'));
      expect(Number(first![1]), name).toBeCloseTo(countDifference(design, [0, 1]), 6);
      expect(Number(second![1]), name).toBeCloseTo(countDifference(design, [1]), 6);
      expect(first!.at(-1), name).toBe(verdict);
    }
  });

  test.each([
    ['claims.json', '"different"', '"equivalent"', 'better: verdict is different, not equivalent\n'],
    [
      'figures/question.csv',
      /(?<=^same,.*)undecided/m,
      'different',
      'same: verdict is undecided, not different\n',
    ],
    ['figures/question-second.csv', /(?<=^copy,.*)undecided/m, 'different', 'copy: verdict is undecided'],
    ['answers.csv', '\n10,1,0,1,', '\n10,1,0,0,', 'same: difference is '],
  ] as const)('fails and says so if %s says something else', async (name, from, to, said) => {
    const folder = await writeAnswer({ seeds: 5, folds: 1 });
    const file = join(folder, name);
    const text = await readFile(file, 'utf8');
    await writeFile(file, text.replace(from, to));
    expect(await readFile(file, 'utf8')).not.toBe(text);
    expect(recompute(folder)).toMatchObject({ status: 1, stdout: expect.stringContaining(said) });
  });

  test('repeats the answers of all committed results', () => {
    const answered = readdirSync(join(repository, 'results'), { recursive: true, encoding: 'utf8' })
      .filter((file) => basename(file) === 'answers.csv')
      .map((file) => join('results', dirname(file)));
    expect(answered.length).toBeGreaterThan(3);
    const { status, stdout } = recompute('results');
    expect(status).toBe(0);
    for (const folder of answered) expect(stdout).toContain(`${folder}/figures/`);
  });
});
