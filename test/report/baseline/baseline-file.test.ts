import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { formatBaseline, parseBaseline } from '../../../src/report/baseline/baseline.ts';
import { readBaseline, readKeptAnswers } from '../../../src/report/baseline/collect.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { exampleBaseline, exampleRun } from './example.ts';

const file = 'configs/baselines/quick.json';
const text = formatBaseline(exampleBaseline());
const parse = (changed: string, profile = 'quick') => parseBaseline(changed, profile, file);

describe('the file of a baseline', () => {
  test('is read as it was written, whatever the names', () => {
    const hostile = exampleBaseline({
      profile: 'a: "b" #c',
      runs: [
        exampleRun({
          model: '[ x: {y}\n ]',
          engine: 'native "x" \\ é 🙂',
          settings: { 'a.b': null, 'c d: e': ['f  \n g', 1e-7] },
        }),
      ],
    });
    expect(parse(formatBaseline(hostile), 'a: "b" #c')).toEqual(hostile);
    const stills = exampleBaseline({
      frames: {
        train: { sha256: '1'.repeat(64), list: '3'.repeat(64), clips: 3, events: null },
        test: { sha256: '2'.repeat(64), list: '4'.repeat(64), clips: 3, events: null },
      },
    });
    expect(parse(formatBaseline(stills))).toEqual(stills);
  });

  test('keeps the answers to the question', () => {
    const now = exampleBaseline({ question: { 'no-reg': 'equivalent' } });
    expect(parseBaseline(formatBaseline(now), 'quick', 'a file')).toEqual(now);
  });

  test('has a setting once that all runs have alike', () => {
    const baseline = exampleBaseline({
      runs: [exampleRun(), exampleRun({ seed: 2021, settings: { parameters: 1000, other: 1 } })],
    });
    const content = JSON.parse(formatBaseline(baseline));
    expect(content.settings).toEqual({ parameters: 1000 });
    expect(content.runs[1].settings).toEqual({ other: 1 });
    expect(parse(formatBaseline(baseline))).toEqual(baseline);
  });

  test('does not repeat the answers of a committed result, and is refused with those of another run', async () => {
    const root = await temporaryFolder();
    const write = async (name: string, content: string) => {
      await mkdir(path.dirname(path.join(root, name)), { recursive: true });
      await writeFile(path.join(root, name), content);
    };
    const answers = Array.from({ length: 100 }, (_, clip) => `${clip},,0,${clip < 10 ? 0 : 1}\n`);
    const csv = `clip,user,class,no-reg@2020\n${answers.join('')}`;
    await write('results/quick/answers.csv', csv);
    const short = formatBaseline(exampleBaseline(), await readKeptAnswers(root, 'quick'));
    expect(short).not.toContain('"wrong"');
    await write(file, short);
    expect(await readBaseline(root, 'quick')).toEqual(exampleBaseline());
    await write('results/quick/answers.csv', csv.replace('\n0,,0,0', '\n0,,0,1'));
    expect(formatBaseline(exampleBaseline(), await readKeptAnswers(root, 'quick'))).toContain('"wrong"');
    await expect(readBaseline(root, 'quick')).rejects.toThrow(
      /runs\[0\]\.test\.wrong.*results\/quick\/answers\.csv.*another run/,
    );
    await write('results/quick/answers.csv', 'clip,user,class\n');
    await expect(readBaseline(root, 'quick')).rejects.toThrow('no answers of no-reg, seed 2020');
  });

  test('has each list of numbers on one line, so that a difference is read as one', () => {
    expect(text).toContain('\n   "neuronSteps": [1000000, 10000],\n');
    expect(text).toContain('\n    "wrong": [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],\n');
    expect(text.split('\n').filter((line) => line.trim() === '[')).toEqual([]);
  });

  test.each([
    ['"profile": "quick"', '"profile": "full"', /is "full", but the file is that of profile "quick"/],
    ['"version": 1', '"version": 2', /"version": expected 1, found 2/],
    ['"clips": 400', '"clips": "many"', /"frames.train.clips"/],
    ['"quick"', '"quick', /not valid JSON/],
    ['"model": "no-reg"', '"modle": "no-reg"', /"runs\[0\].model" is missing/],
    ['"spread": "reproduced"', '"spread": "perhaps"', /"claims.spread"/],
  ])('with %s changed to %s is refused, saying where', (from, to, message) => {
    expect(text).toContain(from);
    expect(() => parse(text.replace(from, to))).toThrow(
      expect.objectContaining({
        code: 'baseline-invalid',
        where: file,
        message: expect.stringMatching(message),
        fix: expect.stringContaining('./repro baseline update --profile quick'),
      }),
    );
  });

  test('empty, cut off or with conflicts of a merge is refused', () => {
    expect(() => parse('')).toThrow('not valid JSON');
    expect(() => parse(text.slice(0, 700))).toThrow('not valid JSON');
    const seed = '   "seed": 2020,\n';
    const conflict = `<<<<<<< HEAD\n${seed}=======\n   "seed": 1,\n>>>>>>> other\n`;
    expect(text).toContain(seed);
    expect(() => parse(text.replace(seed, conflict))).toThrow('not valid JSON');
  });

  test('may be missing, but not be that of another profile', async () => {
    const root = await temporaryFolder();
    expect(await readBaseline(root, 'quick')).toBeNull();
    await mkdir(path.join(root, 'configs/baselines'), { recursive: true });
    await writeFile(path.join(root, 'configs/baselines/other.json'), text);
    await expect(readBaseline(root, 'other')).rejects.toThrow('is that of profile "other"');
  });
});

test('the committed baseline of profile quick belongs to its models, seeds and epochs', async () => {
  const project = path.resolve(import.meta.dirname, '../../..');
  const profile = parseYaml(await readFile(path.join(project, 'configs/profiles/quick.yaml'), 'utf8'));
  const baseline = await readBaseline(project, 'quick');
  expect(baseline?.runs.map(({ model, seed, epochs }) => [model, seed, epochs])).toEqual(
    profile.models.flatMap((model: string) =>
      profile.seeds.map((seed: number) => [model, seed, profile.train.epochs]),
    ),
  );
  expect(formatBaseline(baseline!)).toBe(await readFile(path.join(project, file), 'utf8'));
});
