import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { loadCheckpoint } from '../../src/exchange/checkpoints/loaded-checkpoint.ts';
import type { Progress, StageContext } from '../../src/runner/stage/define-stage.ts';
import evaluate from '../../stages/evaluate.ts';
import train from '../../stages/train.ts';
import { parseRecords } from '../support/csv-records.ts';
import { sharedTemporaryFolder } from '../support/temporary-folder.ts';
import { contextOf, modelFile, params, writeFrames } from './training-rig.ts';

const root = sharedTemporaryFolder();
const frames = join(root, 'frames');
beforeAll(() => writeFrames(frames));

/** Trainings print one line per epoch for their log. */
beforeEach(() => {
  vi.spyOn(console, 'log').mockImplementation(() => {});
});
afterEach(() => vi.restoreAllMocks());

const json = async (...path: string[]) => JSON.parse(await readFile(join(root, ...path), 'utf8'));

describe('with folds of users', () => {
  /** Users 0 to 8 have a test clip, too. */
  const folds = [0, 8, 16].map((first) => Array.from({ length: 8 }, (_, i) => first + i));

  async function trainFold(
    name: string,
    seed: number,
    over: Partial<StageContext<never>> = {},
    compat = {},
    dataset: { readonly validation?: 'users' } = {},
  ) {
    const { context, heard } = contextOf({
      params: { dataset: { folds, ...dataset }, train: { ...params.train, batchSize: 4, compat } },
      ...{ inputs: { frames, model: modelFile }, outputs: [join(root, name)] },
      ...{ matrix: { model: 'no-reg', seed } },
      ...over,
    });
    await train.run(context);
    return heard;
  }

  it.each([
    // 2020 mod 3 is 1. Users 8 to 15 have rows 8 to 15 of train.npy, and user 8 has row 8 of test.npy: 24 + 8 of both.
    [2020, [8, 9, 10, 11, 12, 13, 14, 15, 32]],
    [2021, [16, 17, 18, 19, 20, 21, 22, 23]],
  ])('seed %i tests the people of its fold, trains on all others, and resumes', async (seed, rows) => {
    const name = `fold-${seed}`;
    await trainFold(name, seed);
    const testUsers = folds[seed % 3];
    const split = await json(name, 'split.json');
    expect([...split.train, ...split.validation].sort((a, b) => a - b)).toEqual(
      Array.from({ length: 33 }, (_, row) => row).filter((row) => !rows.includes(row)),
    );
    expect(split).toMatchObject({
      testUsers,
      rule: expect.stringContaining(`without users ${testUsers?.join(', ')}`),
    });
    const run = await json(name, 'run.json');
    expect(run.split).toEqual({
      ...{ train: split.train.length, validation: split.validation.length, test: rows.length, testUsers },
    });

    const { context } = contextOf({
      params: {},
      ...{ inputs: { frames, trained: join(root, name) }, outputs: [join(root, `${name}-evaluated`)] },
    });
    await evaluate.run(context);
    const evaluation = await json(`${name}-evaluated`, 'evaluation.json');
    expect(evaluation).toMatchObject({
      testUsers,
      test: { clips: rows.length, accuracy: run.best.testAccuracy },
    });
    expect(evaluation.validation.accuracy).toBe(run.best.validationAccuracy);
    const answers = parseRecords(await readFile(join(root, `${name}-evaluated`, 'predictions.csv'), 'utf8'));
    const tested = answers.filter((row) => row.split === 'test');
    expect(tested.map(({ clip, user, class: label }) => [clip, user, label].map(Number))).toEqual(
      rows.map((row) => [row, row % 24, (row % 24) % 3]),
    );

    // For `repro evaluate`.
    expect((await loadCheckpoint(join(root, name))).trainedOn.testUsers).toEqual(testUsers);

    const resume = [join(root, `${name}-resume`)];
    await mkdir(resume[0]!);
    const controller = new AbortController();
    const progress = ({ done }: Progress) => void (done === 7 && controller.abort());
    const aborted = trainFold(`${name}-aborted`, seed, { resume, progress, signal: controller.signal });
    await expect(aborted).rejects.toMatchObject({ code: 'training-interrupted' });
    await trainFold(`${name}-resumed`, seed, { resume });
    for (const file of ['run.json', 'split.json', 'metrics.csv', 'best.safetensors', 'last.safetensors']) {
      const [one, other] = await Promise.all(
        [name, `${name}-resumed`].map((place) => readFile(join(root, place, file), 'hex')),
      );
      expect(other, file).toBe(one);
    }
  });

  it('whole people of the others validate, if asked for', async () => {
    await trainFold('people', 2020, {}, {}, { validation: 'users' });
    const { split: counts, training } = await json('people', 'run.json');
    const { train: trained, validation: held, rule } = await json('people', 'split.json');
    const usersOf = (rows: number[]) => [...new Set(rows.map((row) => row % 24))].sort((a, b) => a - b);
    expect(training.validation).toBe('users');
    // ceil(0.85 · 16) of the users who are not tested stay.
    expect([usersOf(trained).length, usersOf(held).length]).toEqual([14, 2]);
    expect(rule).toContain(`users ${usersOf(held).join(', ')}, drawn by seed, are held back`);
    expect(usersOf([...trained, ...held])).toEqual([...folds[0]!, ...folds[2]!]);
    expect(counts.train + counts.validation).toBe(24);
  });

  it('the recordings of the original’s conversion cannot be selected', async () => {
    await expect(trainFold('none', 2020, {}, { trials: 'first-88' })).rejects.toMatchObject({
      code: 'compat-impossible',
      message: 'compat.trials: first-88 is about the official training split.',
      fix: 'Use `all`, or remove `dataset.folds`.',
    });
  });
});
