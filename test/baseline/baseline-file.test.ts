import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { formatBaseline, parseBaseline, readBaseline } from '../../src/baseline/baseline.ts';
import { listChanges } from '../../src/baseline/changes.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
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

  test('keeps the answers to the question, and an update shows how they change', () => {
    const [before, now] = (['undecided', 'equivalent'] as const).map((answer) =>
      exampleBaseline({ question: { 'no-reg': answer } }),
    );
    expect(parseBaseline(formatBaseline(now!), 'quick', 'a file')).toEqual(now);
    expect(listChanges(before!, now!)).toEqual([
      { subject: 'question', what: 'no-reg', before: 'undecided', now: 'equivalent' },
    ]);
  });

  test('has each list of numbers on one line, so that a difference is read as one', () => {
    expect(text).toContain('\n   "neuronSteps": [1000000, 10000],\n');
    expect(text).toContain('\n    "wrong": [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]\n');
    expect(text.split('\n').filter((line) => line.trim() === '[')).toEqual([]);
  });

  test.each([
    ['"profile": "quick"', '"profile": "full"', /is "full", but the file is that of profile "quick"/],
    ['"version": 1', '"version": 2', /"version" is 2, expected 1/],
    ['"clips": 400', '"clips": "many"', /"frames.train.clips"/],
    ['"quick"', '"quick', /not valid JSON/],
    ['"model": "no-reg"', '"modle": "no-reg"', /"runs\[0\].model": expected a string/],
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
  const project = path.resolve(import.meta.dirname, '../..');
  const profile = parseYaml(await readFile(path.join(project, 'configs/profiles/quick.yaml'), 'utf8'));
  const baseline = await readBaseline(project, 'quick');
  expect(baseline?.runs.map(({ model, seed, epochs }) => [model, seed, epochs])).toEqual(
    profile.models.flatMap((model: string) =>
      profile.seeds.map((seed: number) => [model, seed, profile.train.epochs]),
    ),
  );
  expect(formatBaseline(baseline!)).toBe(await readFile(path.join(project, file), 'utf8'));
});

describe('the changes that an update shows', () => {
  test('are none for the same, and everything for a new one', () => {
    expect(listChanges(exampleBaseline(), exampleBaseline())).toEqual([]);
    expect(
      listChanges(null, exampleBaseline()).map(({ subject, what, now }) => `${subject}, ${what}: ${now}`),
    ).toEqual([
      'data set, name: simulated dvs128-gesture',
      'training frames, clips: 400',
      'training frames, off and on events: 1000 and 2000',
      `training frames, recordings and classes: ${'3'.repeat(12)}`,
      `training frames, sha256: ${'1'.repeat(12)}`,
      'test frames, clips: 100',
      'test frames, off and on events: 300 and 500',
      `test frames, recordings and classes: ${'a'.repeat(12)}`,
      `test frames, sha256: ${'2'.repeat(12)}`,
      'no-reg, seed 2020, run: 90 of 100 (90.0 %)',
      'claims, no-difference: inconclusive',
      'claims, spread: reproduced',
    ]);
  });

  test('are told of every kind of number, however deep in a training they are', () => {
    const trainLosses = exampleRun().trainLosses.map((loss, i) => (i > 0 && i < 7 ? 10 * loss : loss));
    trainLosses[3] = 1;
    const layers = exampleRun().layers.map((one) => (one.epoch === 4 ? { ...one, tauStds: [0.1, 5] } : one));
    const firstBatches = exampleRun().firstBatches.map((one) => ({ ...one, spikeRates: [0.1, 0.9] }));
    const now = exampleBaseline({ runs: [exampleRun({ trainLosses, layers, firstBatches })] });
    expect(listChanges(exampleBaseline(), now).map(({ what, before, now }) => [what, before, now])).toEqual([
      ['first batches: 4 of 12 differ, most spike rate of layer 1, batch 1', '0.02', '0.9'],
      ['loss: 6 of 8 differ, most loss of epoch 4', '0.04', '1'],
      ['σ(τ): 1 of 8 differ, most σ(τ) of layer 1, epoch 4', '0.12', '5'],
    ]);
  });

  test('are named one by one, with runs that come and go', () => {
    const now = exampleBaseline({
      runs: [
        exampleRun({
          settings: { ...exampleRun().settings, 'training.learningRate': 0.01 },
          chosenEpoch: 8,
          test: { clips: 100, list: 'a'.repeat(64), wrong: [3] },
        }),
        exampleRun({ model: 'new' }),
      ],
    });
    const before = exampleBaseline({ runs: [exampleRun(), exampleRun({ model: 'old' })] });
    expect(listChanges(before, now)).toEqual([
      { subject: 'no-reg, seed 2020', what: 'train.learningRate', before: '0.005', now: '0.01' },
      { subject: 'no-reg, seed 2020', what: 'chosen epoch', before: '7', now: '8' },
      {
        subject: 'no-reg, seed 2020',
        what: 'test accuracy',
        before: '90 of 100 (90.0 %)',
        now: '99 of 100 (99.0 %)',
      },
      {
        subject: 'no-reg, seed 2020',
        what: 'wrong test clips',
        before: '0, 1, 2, 3, 4, 5, 6, 7, 8, 9',
        now: '3',
      },
      { subject: 'new, seed 2020', what: 'run', before: null, now: '90 of 100 (90.0 %)' },
      { subject: 'old, seed 2020', what: 'run', before: '90 of 100 (90.0 %)', now: null },
    ]);
  });
});
