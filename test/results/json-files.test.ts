import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { countStepsToAnswer, formatEvaluation, readEvaluation } from '../../src/results/evaluation-file.ts';
import { formatManifest, type Manifest, readManifest } from '../../src/results/manifest.ts';
import {
  formatRun,
  formatSplit,
  maximumAccuracy,
  networkOfRunFile,
  readRun,
  readSettings,
  readSplit,
} from '../../src/results/run-file.ts';
import { readResultFile } from '../../src/results/stage-files.ts';
import { formatClaims, readVerdictsFile } from '../../src/verdicts/claims-file.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { exampleEvaluation, exampleRunFile, resultFile } from './examples.ts';

describe('run.json', () => {
  const read = (text: string) => readRun(resultFile('run.json', text));

  it('is read as it was written, also that of train-val', () => {
    for (const run of [exampleRunFile(), exampleRunFile({ epochsDone: 2 })])
      expect(read(formatRun(run))).toEqual(run);
    const unheld = exampleRunFile({ maximum: { ...exampleRunFile().maximum, validation: null } });
    expect(read(formatRun(unheld))).toEqual(unheld);
  });

  it('is refused if it is cut off, of another version, or a field is wrong', () => {
    const text = formatRun(exampleRunFile());
    expect(() => read(text.slice(0, 100))).toThrow('not valid JSON');
    expect(() => read(text.replace('"version": 1', '"version": 2'))).toThrow(
      '"version": expected 1, found 2',
    );
    expect(() => read(text.replace('"selection": "validation"', '"selection": "nicest"'))).toThrow(
      expect.objectContaining({
        code: 'results-invalid',
        where: 'run.json',
        message: 'field "compat.selection": expected "validation" or "best-test" or "last", found "nicest"',
      }),
    );
  });

  it('of frames by duration without a duration is refused', () => {
    const { frames } = exampleRunFile();
    const run = exampleRunFile({ frames: { ...frames, splitBy: 'duration' } });
    expect(() => read(formatRun(run))).toThrow('field "frames" has no "durationUs"');
    const whole = exampleRunFile({ frames: { ...frames, splitBy: 'duration', durationUs: 1000 } });
    expect(read(formatRun(whole))).toEqual(whole);
  });

  it('with a network that cannot be built is refused', () => {
    const { network } = exampleRunFile();
    for (const change of [{ input: [2, 1, 1] as const }, { dropout: 7 }]) {
      const run = exampleRunFile({ network: { ...network, ...change } });
      expect(() => networkOfRunFile(resultFile('run.json', ''), run)).toThrow('field "network" is invalid: ');
    }
  });

  it('is read for settings without knowing their names', () => {
    const text = JSON.stringify({
      version: 1,
      training: { a: { b: 1 }, c: [2, { d: 3 }] },
      other: 1,
      network: 5,
    });
    expect([...readSettings(resultFile('run.json', text), ['network', 'training', 'missing'])]).toEqual([
      ['network', 5],
      ['training.a.b', 1],
      ['training.c', [2, { d: 3 }]],
    ]);
    expect(() => readSettings(resultFile('x/run.json', '[1'), [])).toThrow(
      expect.objectContaining({ code: 'results-invalid', where: 'x/run.json' }),
    );
  });
});

describe('maximumAccuracy', () => {
  it('is the first of the highest', () => {
    const points = [null, 0.5, 0.75, 0.75, 0.25].map((accuracy, epoch) => ({ epoch, accuracy }));
    expect(maximumAccuracy(points)).toEqual({ epoch: 2, accuracy: 0.75 });
  });

  it('needs at least one epoch that was measured', () => {
    expect(() => maximumAccuracy([{ epoch: 0, accuracy: null }])).toThrow('no epoch has an accuracy');
  });
});

test('split.json is read as it was written', () => {
  const split = { rule: 'the last of each class', train: [0, 2], validation: [1] };
  expect(readSplit(resultFile('split.json', formatSplit(split)))).toEqual(split);
  expect(() => readSplit(resultFile('split.json', formatSplit({ ...split, train: [-1] })))).toThrow(
    'train[0]',
  );
});

describe('evaluation.json', () => {
  const read = (text: string) => readEvaluation(resultFile('evaluation.json', text));

  it('is read as it was written', () => {
    for (const selection of ['validation', 'best-test', 'last'] as const) {
      const evaluation = exampleEvaluation({ checkpoint: { selection, epoch: 1 } });
      expect(read(formatEvaluation(evaluation))).toEqual(evaluation);
    }
    const spikeRates = { test: [0.1], validation: null };
    const unheld = exampleEvaluation({ validation: null, spikeRates });
    expect(read(formatEvaluation(unheld))).toEqual(unheld);
    const { test } = unheld;
    const timed = exampleEvaluation({ correctByStep: [0, 1, 3, 2], orders: { shuffled: test, mean: test } });
    expect(read(formatEvaluation(timed))).toEqual(timed);
    const answered = { asTrained: { ...test, wrong: [1] }, again: { ...test, wrong: [2] } };
    for (const tau of [{}, { unchanged: answered, 'layer-mean': answered }])
      expect(read(formatEvaluation(exampleEvaluation({ tau })))).toEqual(exampleEvaluation({ tau }));
    const { cost } = unheld;
    const uncounted = exampleEvaluation({ cost: { ...cost, effectiveMacs: null, effectiveAcs: null } });
    expect(read(formatEvaluation(uncounted))).toEqual(uncounted);
  });

  it('is refused with a wrong field', () => {
    const text = formatEvaluation(
      exampleEvaluation({ test: { clips: 3, correct: 2, accuracy: 2, loss: 0 } }),
    );
    expect(() => read(text)).toThrow('field "test.accuracy": expected a number from 0 to 1, found 2');
    expect(() => read(text.replace('"version": 2', '"version": 1'))).toThrow(
      '"version": expected 2, found 1',
    );
  });

  const loss = 0;
  it.each([
    [{ test: { clips: 3, correct: 4, accuracy: 1, loss } }, '"test" has 4 right of 3 clips'],
    [{ test: { clips: 0, correct: 0, accuracy: 0, loss } }, '"test" has 0 clips'],
    [{ test: { clips: 3, correct: 2, accuracy: 0, loss } }, '"test" has accuracy 0, but 2 of 3'],
    [
      { validation: { clips: 4, correct: 4, accuracy: 0.1, loss } },
      '"validation" has accuracy 0.1, but 4 of 4',
    ],
    [{ correctByStep: [1, 3] }, '"correctByStep" ends with 3, but "test.correct" is 2'],
  ])('that contradicts itself is refused: %j', (over, message) => {
    expect(() => read(formatEvaluation(exampleEvaluation(over)))).toThrow(message);
  });

  it('gives the accuracy of the counts, of which the file may have fewer digits', () => {
    const rounded = exampleEvaluation({ test: { clips: 3, correct: 2, accuracy: 0.67, loss } });
    expect(read(formatEvaluation(rounded)).test.accuracy).toBe(2 / 3);
  });
});

test('steps to the answer are a mean over the clips that are right in the end, of which none decides alone', () => {
  // Of four clips, one is right after each step.
  expect(countStepsToAnswer([1, 2, 3, 4])).toBe(2.5);
  expect(countStepsToAnswer([4, 4])).toBe(1);
  expect(countStepsToAnswer([5, 4])).toBe(1);
  expect(countStepsToAnswer([1, 0, 0])).toBe(3);
  // Of the first step within a point of the end, one clip of 144 would make 14 or 15, and two would make 10.
  const correct = [73, 92, 99, 110, 119, 126, 131, 133, 133, 135, 135, 135, 135, 136, 137, 138];
  const other = [...correct.slice(0, -1), 137];
  expect(Math.abs(countStepsToAnswer(correct) - countStepsToAnswer(other))).toBeLessThan(0.1);
});

test('manifest.json is read as it was written, with or without lights', () => {
  const manifest: Manifest = {
    version: 1,
    dataset: 'dvs128-gesture',
    simulated: true,
    archive: false,
    splits: { train: { recordings: 1, clips: 2 }, test: { recordings: 3, clips: 4 } },
    perUser: { user01: 6 },
    perLight: { led: 6 },
    perUserLight: { user01: { led: 6 } },
    perClass: { wave: 6 },
    warnings: ['a'],
    files: [{ path: 'a/b', sizeBytes: 1, md5: '0', status: 'ok' }],
  };
  const { perUserLight: _, ...without } = manifest;
  for (const one of [manifest, without])
    expect(readManifest(resultFile('manifest.json', formatManifest(one)))).toEqual(one);
});

describe('claims.json', () => {
  const claim = {
    id: 'a',
    statement: 'b\u00a0c',
    measured: null,
    reason: 'd',
    verdict: 'inconclusive',
  } as const;
  const rest = { dataset: 'nmnist', source: 'Table 1', evidence: { page: 1 }, published: null };
  const read = (text: string) => readVerdictsFile(resultFile('claims.json', text));

  it('is read for its verdicts, with ordinary spaces', () => {
    const text = formatClaims([{ ...claim, ...rest }], true);
    expect(read(text)).toEqual({ claims: [{ ...claim, statement: 'b c' }] });
  });

  it('keeps the answer to the question', () => {
    const arm = { model: 'no-reg', difference: -0.01, low: null, high: null, verdict: 'undecided' } as const;
    const question = { text: 'So?', baseline: 'baseline', margin: 0.02, arms: [arm] };
    const text = formatClaims([], true, question);
    expect(read(text)).toEqual({ claims: [], question });
    expect(() => read(text.replace('"undecided"', '"perhaps"'))).toThrow('question.arms[0].verdict');
  });

  it('of another version, or with an unknown verdict, is refused', () => {
    const text = formatClaims([{ ...claim, ...rest }], true);
    expect(() => read(text.replace('"inconclusive"', '"perhaps"'))).toThrow('claims[0].verdict');
    expect(() => read(text.replace('"version": 1', '"version": 2'))).toThrow('version');
  });
});

test('a file that is missing or a folder is named, with the command that makes it again', async () => {
  const folder = await temporaryFolder();
  const file = path.join(folder, 'run.json');
  await expect(readResultFile(file, 'train@a,1')).rejects.toMatchObject({
    code: 'results-invalid',
    message: 'the file is missing',
    where: file,
    fix: 'Make the file again: `./repro run train@a,1 --force`.',
  });
  await expect(readResultFile(folder, 'train')).rejects.toThrow('the file cannot be read: ');
  await writeFile(file, 'text');
  expect((await readResultFile(file, 'train')).text).toBe('text');
});
