import fs from 'node:fs/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { CliProject } from '../runner/rig/cli-project.ts';
import { studyFiles } from './small-study.ts';

let project: CliProject;
beforeAll(async () => {
  project = await CliProject.createForFile(studyFiles);
  return () => fs.rm(project.root, { recursive: true });
});

const judge = (...words: readonly string[]) => project.call(['judge', ...words]);

test('a claim has a line with its verdict, its value with interval, and why; one that is not reproduced gives 4', async () => {
  const { exitCode, stdout, stderr } = await judge('judge.yaml', 'results.csv');
  expect(stdout.replaceAll('\u00a0', ' ').split('\n')).toEqual([
    expect.stringMatching(
      /^a-above-b {2}reproduced {6}a − b \+19\.3 points \(95 % interval \+\S+ to \+\S+ points, p < 0\.001\)\. Over three seeds/,
    ),
    expect.stringMatching(/^c-first {4}not reproduced {2}c − b −29\.0 points \(.*\)\. Over three seeds/),
    'd-0.9      not applicable  The results have no arm "missing". Known: "a", "b", "c".',
    '3 claims: 1 reproduced, 1 not reproduced, 1 not applicable',
  ]);
  expect([exitCode, stderr]).toEqual([4, '']);
});

test('the code is 0 if nothing is contradicted, and what no results can test is said to be so', async () => {
  expect(await judge('good.yaml', 'results.csv')).toMatchObject({ exitCode: 0, stderr: '' });
});

test('the code is 2 if results lack what a claim names, which stderr explains after the verdicts', async () => {
  const { exitCode, stdout, stderr } = await judge('renamed.yaml', 'results.csv', '--json');
  expect(JSON.parse(stdout)).toMatchObject({
    ok: false,
    claims: [{ verdict: 'reproduced' }, { verdict: 'not-applicable' }],
  });
  expect([exitCode, stderr]).toEqual([
    2,
    'results.csv  1 claim of renamed.yaml cannot be judged by these results. d-0.9: The results have no arm "missing". Known: "a", "b", "c".\n  Correct the claim or the results, or remove the claim.',
  ]);
});

describe('the option', () => {
  test('--json gives one document with the numbers', async () => {
    const { exitCode, stdout } = await judge('judge.yaml', 'results.csv', '--json');
    const { claims, ...document } = JSON.parse(stdout);
    expect(document).toEqual({ version: 1, command: 'judge', ok: false });
    expect(claims[0]).toMatchObject({
      id: 'a-above-b',
      evidence: { source: 'A paper', section: '4.2', page: 7, at: 'Table 2' },
      contrasts: [{ name: 'a − b', difference: expect.closeTo(0.19333, 5), seeds: 3 }],
    });
    expect(exitCode).toBe(4);
  });

  test.each([
    ['--junit', '<testsuite name="judge.yaml" tests="3" failures="1" errors="0" skipped="1" time="0">'],
    ['--markdown', '| d-0.9: It reaches 90 %. | A paper, section 4.2, page 7, Table 2 | not applicable |'],
    ['--latex', '\\newcommand{\\verdictCFirst}{not reproduced}'],
  ])('%s gives text of that form', async (option, text) => {
    const { exitCode, stdout } = await judge('judge.yaml', 'results.csv', option);
    expect(stdout).toContain(text);
    expect(exitCode).toBe(4);
  });

  test.each([[['--json', '--latex']], [['--markdown', '--junit']]])(
    'is refused beside another one: %j',
    async (options) => {
      const { exitCode, stdout, stderr } = await judge('judge.yaml', 'results.csv', ...options);
      expect(stderr).toMatch(
        /^error: option '--\w+' cannot be used with option '--\w+'\n\(repro judge --help /,
      );
      expect([exitCode, stdout]).toEqual([2, '']);
    },
  );
});

const head = 'arm,seed,item,correct\n';
test.each([
  [
    'a bad answer',
    `${head}a,1,1,1\na,1,2,maybe\n`,
    'bad.csv:3:7  column "correct": expected 0 or 1, found "maybe".',
  ],
  ['NaN', `${head}a,1,1,NaN\n`, 'bad.csv:2:7  column "correct": expected 0 or 1, found "NaN".'],
  ['a missing column', 'arm,seed,correct\na,1,1\n', 'bad.csv:1:1  column "item" is missing'],
  [
    'an open quote',
    `${head.trim()},note\na,1,1,1,"x\na,1,2,1,\n`,
    'bad.csv:2:9  this cell starts with a quote',
  ],
  ['semicolons', 'arm;seed;item;correct\na;1;1;1\n', 'Separate columns by commas.'],
  ['a header alone', head, 'bad.csv:1:1  the table has no rows.'],
  ['nothing', '', 'bad.csv:1:1  column "arm" is missing'],
])('results with %s are refused, with file, line and what was expected', async (_, text, message) => {
  await project.write('bad.csv', text);
  const { exitCode, stdout, stderr } = await judge('judge.yaml', 'bad.csv');
  expect(stderr).toContain(message);
  expect([exitCode, stdout]).toEqual([2, '']);
});

test('results with a byte order mark, Windows’ line ends and quotes are read', async () => {
  const quoted = studyFiles['results.csv'].replaceAll(/^(\w+),/gm, '"$1",').replaceAll('\n', '\r\n');
  await project.write('windows.csv', `\ufeff${quoted}`);
  const [windows, plain] = await Promise.all(
    ['windows.csv', 'results.csv'].map((file) => judge('judge.yaml', file)),
  );
  expect(windows!.stdout).toBe(plain!.stdout);
});

test.each([
  ['an unknown key', 'version: 1\nclaims: []\nsauce: x\n', 'bad.yaml:3:1  '],
  ['what is not YAML', 'version: 1\nclaims: [\n', 'bad.yaml:'],
  ['nothing', '', 'bad.yaml:1:1  the file is empty.'],
])('claims with %s are refused at their place', async (_, text, message) => {
  await project.write('bad.yaml', text);
  const { exitCode, stderr } = await judge('bad.yaml', 'results.csv');
  expect(stderr).toContain(message);
  expect(stderr).toMatch(/^bad\.yaml:\d+:\d+ /);
  expect(exitCode).toBe(2);
});

test.each([
  ['a margin in points', 'version: 1', '0.02', '2', 'bad.yaml:7:60  claim "a": margin 2 is 200 points.'],
  ['scores that are better if lower', 'version: 1\nbetter: lower', '', '', 'bad.yaml:2:9  "better: lower"'],
])(
  'claims with %s are refused at their place, if answers are right or wrong',
  async (_, head, from, to, message) => {
    const text = `${head}\nsource: x\nclaims:\n  - id: a\n    statement: x\n    evidence: { section: "1" }\n`;
    const measure = '    measure: { kind: equivalence, arm: a, than: b, margin: 0.02 }\n';
    await project.write('bad.yaml', `${text}${measure.replace(from, to)}`);
    const { exitCode, stderr } = await judge('bad.yaml', 'results.csv');
    expect(stderr).toContain(message);
    expect(exitCode).toBe(2);
  },
);

test.each([
  [['judge.yaml', '.'], '.  cannot be read: expected a regular file, found a folder'],
  [['.', 'results.csv'], '.  cannot be read: expected a regular file, found a folder'],
  [['judge.yaml', 'none.csv'], 'none.csv  this file does not exist.'],
  [['judge.yaml'], "error: missing required argument 'results'"],
])('files like %j are refused', async (words, message) => {
  const { exitCode, stderr } = await judge(...words);
  expect(stderr).toContain(message);
  expect(exitCode).toBe(2);
});

test('names with escape sequences cannot act on the terminal', async () => {
  const hostile = await CliProject.create({
    'judge.yaml': studyFiles['judge.yaml'].replaceAll('arm: a', 'arm: "\\e[2Ja"'),
    'results.csv': studyFiles['results.csv'].replaceAll(/^a,/gm, '\u001b[2Ja,'),
  });
  const { stdout } = await hostile.call(['judge', 'judge.yaml', 'results.csv']);
  expect(stdout).toContain('a-above-b  reproduced');
  expect(stdout).not.toContain('\u001b');
});
