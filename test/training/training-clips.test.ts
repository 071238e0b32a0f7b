import { describe, expect, it } from 'vitest';
import type { CachedClip } from '../../src/results/clip-index.ts';
import { COMPAT_DEFAULTS, type Compat } from '../../src/results/thesis/compat.ts';
import type { FrameCache } from '../../src/training/frame-cache.ts';
import { chooseTrainingClips, splitClips } from '../../src/training/training-clips.ts';
import { FRAMES } from '../report/result-values.ts';
import { smallTask } from './small-task.ts';

/** The twelve clips of a gesture recording: one of each class, two of class 7. */
const CLASSES_OF_A_RECORDING = [0, 1, 2, 3, 4, 5, 6, 7, 7, 8, 9, 10];

function gestureClips(recordings: number): CachedClip[] {
  return Array.from({ length: recordings }, (_, trial) =>
    CLASSES_OF_A_RECORDING.map((label) => ({
      recording: `recording ${trial}`,
      user: 1,
      light: 'led',
      trial,
      class: label,
      startUs: 0,
      endUs: 1,
      events: 1,
    })),
  ).flat();
}

function choose(
  clips: readonly CachedClip[],
  switches: Partial<Compat>,
  {
    seed = 2020,
    batchSize = 16,
    classes = 11,
    share = 0.15,
    ...held
  }: {
    readonly seed?: number;
    readonly batchSize?: number;
    readonly classes?: number;
    readonly share?: number;
    readonly validation?: 'users';
  } = {},
  tested: Partial<Pick<FrameCache, 'rows' | 'testUsers'>> = {},
) {
  const training = { ...smallTask().settings, validationShare: share, batchSize, ...held };
  return chooseTrainingClips(
    {
      index: {
        ...{
          dataset: 'dvs128-gesture',
          simulated: false,
          sensor: { height: 128, width: 128 },
          frames: FRAMES,
        },
        classes: Array.from({ length: classes }, (_, i) => `class ${i}`),
        splits: { train: clips, test: [] },
      },
      rows: { train: Int32Array.from(clips.keys()), test: new Int32Array() },
      ...tested,
    },
    { training, compat: { ...COMPAT_DEFAULTS, ...switches } },
    seed,
  );
}

it('without a share to hold back, all clips are trained on, and the rule says so', () => {
  const { split, rule, compat } = choose(gestureClips(2), { validation: 'shuffled-drop-last' }, { share: 0 });
  expect([split.train.length, split.validation.length]).toEqual([24, 0]);
  expect(rule).toBe('all sorted training clips are trained on; none are held back');
  expect(compat.validation).toBe('all');
});

describe('trials: first-88', () => {
  it('leaves the paper’s 1,056 clips, 900 of them for training', () => {
    const clips = gestureClips(98);
    const { split, rule } = choose(clips, { trials: 'first-88' });
    expect([split.train.length, split.validation.length]).toEqual([900, 156]);
    expect(Math.max(...split.train, ...split.validation)).toBe(88 * 12 - 1);
    expect(rule).toBe(
      'of the n sorted training clips of each class (only those of the first 88 recordings in trials_to_train.txt), ' +
        'the first ceil((1 - 0.15) n) are trained on',
    );
    const all = choose(clips, {}).split;
    expect([all.train.length, all.validation.length]).toEqual([1007, 169]); // 10 x 84 + 167
  });

  it('counts recordings in the order of the list, not sorted', () => {
    // Two clips a recording, of classes 0 and 1, listed from last to first: the rows of the first 88 are the last ones.
    const clips = Array.from({ length: 90 }, (_, place) =>
      gestureClips(1)
        .slice(0, 2)
        .map((clip) => ({ ...clip, trial: 89 - place })),
    ).flat();
    const { split } = choose(clips, { trials: 'first-88' }, { classes: 2 });
    expect(Math.min(...split.train, ...split.validation)).toBe(2 * 2);
    expect(split.train.length + split.validation.length).toBe(2 * 88);
  });

  it('is not in force if there are no other recordings', () => {
    const { compat, rule } = choose(gestureClips(88), { trials: 'first-88' });
    expect(compat).toEqual(COMPAT_DEFAULTS);
    expect(rule).not.toContain('88');
    expect(choose(gestureClips(89), { trials: 'first-88' }).compat.trials).toBe('first-88');
  });

  it('is rejected for a data set without lists', () => {
    const clips = gestureClips(20).map((clip) => ({ ...clip, trial: null }));
    expect(() => choose(clips, { trials: 'first-88' })).toThrow(
      expect.objectContaining({
        code: 'compat-impossible',
        message: expect.stringContaining('recording 0 of dvs128-gesture is not in one'),
      }),
    );
  });
});

describe('file_order: shuffled', () => {
  const clips = gestureClips(20);
  const classOf = (rows: Int32Array) => [...rows].map((row) => clips[row]!.class);

  it('holds back other clips of each class, as many as before', () => {
    const sorted = choose(clips, {});
    const shuffled = choose(clips, { file_order: 'shuffled' });
    expect(classOf(shuffled.split.train)).toEqual(classOf(sorted.split.train));
    expect(classOf(shuffled.split.validation)).toEqual(classOf(sorted.split.validation));
    expect([...shuffled.split.validation]).not.toEqual([...sorted.split.validation]);
    const all = [...shuffled.split.train, ...shuffled.split.validation].sort((a, b) => a - b);
    expect(all).toEqual([...clips.keys()]);
    expect(shuffled.rule).toContain('of the n training clips in an order drawn at random, of each class');
  });

  it('shuffles clips, not recordings: those held back come from other recordings in each class', () => {
    const { validation } = choose(clips, { file_order: 'shuffled' }).split;
    const recordings = (label: number) =>
      [...validation].filter((row) => clips[row]!.class === label).map((row) => clips[row]!.trial);
    expect(recordings(0)).toHaveLength(3);
    expect(recordings(0)).not.toEqual(recordings(1));
  });

  it('depends on the seed and nothing else', () => {
    const order = (seed: number) => choose(clips, { file_order: 'shuffled' }, { seed }).split.train;
    expect(order(2020)).toEqual(order(2020));
    expect(order(2020)).not.toEqual(order(2021));
  });

  it('shuffles what `trials` leaves', () => {
    const { split } = choose(gestureClips(98), { trials: 'first-88', file_order: 'shuffled' });
    expect([split.train.length, split.validation.length]).toEqual([900, 156]);
    expect(Math.max(...split.train, ...split.validation)).toBe(88 * 12 - 1);
  });
});

it('validation: shuffled-drop-last is in force unless the held-back clips make whole batches', () => {
  const clips = gestureClips(98); // 169 = 13 · 13 clips are held back
  const inForce = (batchSize: number) =>
    choose(clips, { validation: 'shuffled-drop-last' }, { batchSize }).compat.validation;
  expect([inForce(16), inForce(13)]).toEqual(['shuffled-drop-last', 'all']);
});

describe('validation: users', () => {
  /** Users 3 to 12, each with six clips in two classes. */
  const clips = Array.from({ length: 60 }, (_, row) => ({
    ...gestureClips(1)[0]!,
    class: row % 2,
    user: 3 + (row % 10),
  }));
  const byUsers = { classes: 2, share: 0.35, validation: 'users' } as const;
  const usersOf = (rows: Int32Array) =>
    [...new Set([...rows].map((row) => clips[row]!.user))].sort((a, b) => a - b);

  it('holds back whole people, the share of them, and says who', () => {
    const { split, rule } = choose(clips, {}, byUsers);
    const [trained, held] = [usersOf(split.train), usersOf(split.validation)];
    // ceil(0.65 · 10) = 7 stay.
    expect([trained.length, held.length, split.train.length]).toEqual([7, 3, 42]);
    expect(held.filter((user) => trained.includes(user))).toEqual([]);
    expect(rule).toBe(
      `of the people in the sorted training clips, users ${held.join(', ')}, drawn by seed, are held back, and all others are trained on`,
    );
    expect(usersOf(choose(clips, {}, { ...byUsers, share: 0.01 }).split.validation)).toHaveLength(1);
    expect(usersOf(choose(clips, {}, { ...byUsers, share: 0.999 }).split.train)).toHaveLength(1);
  });

  it('draws them anew for each seed, and the same ones again', () => {
    const draw = (seed: number) => usersOf(choose(clips, {}, { ...byUsers, seed }).split.validation).join();
    expect(draw(1)).toBe(draw(1));
    const drawn = Array.from({ length: 40 }, (_, seed) => draw(seed));
    expect(new Set(drawn).size).toBeGreaterThan(20);
    expect(new Set(drawn.join().split(',')).size).toBe(10);
  });

  it('leaves out the people who are tested', () => {
    const train = Int32Array.from(clips.keys()).filter((row) => clips[row]!.user > 4);
    const tested = { rows: { train, test: new Int32Array() }, testUsers: [3, 4] };
    const { split, rule } = choose(clips, {}, byUsers, tested);
    expect([...usersOf(split.train), ...usersOf(split.validation)].sort((a, b) => a - b)).toEqual([
      5, 6, 7, 8, 9, 10, 11, 12,
    ]);
    expect(rule).toContain('(of both files, without users 3, 4, who are tested), users ');
  });

  it.each([
    ['no users', null, 'the training clips have no users, so that nobody can be held back.'],
    ['one user', 7, 'the training clips are of one person, so that nobody can be held back.'],
  ])('is refused for clips with %s', (_, user, message) => {
    const alike = clips.map((clip) => ({ ...clip, user }));
    expect(() => choose(alike, {}, byUsers)).toThrow(
      expect.objectContaining({ code: 'validation-impossible', where: 'dataset.validation', message }),
    );
  });
});

describe('splitClips', () => {
  it('holds back the last clips of each class', () => {
    const labels = Int32Array.of(1, 0, 1, 0, 1, 0, 1, 0);
    const { train, validation } = splitClips(labels, 2, 0.25);
    expect([...train]).toEqual([1, 3, 5, 0, 2, 4]);
    expect([...validation]).toEqual([7, 6]);
  });

  it('rejects a split that leaves no validation clips, and counts the classes that are there', () => {
    expect(() => splitClips(Int32Array.of(0, 0, 2), 10, 0.15)).toThrow(
      /^Of 3 training clips in 2 of 10 classes, /,
    );
    expect(() => splitClips(Int32Array.of(0, 1, 2), 3, 0.15)).toThrow(
      expect.objectContaining({
        message: expect.stringContaining('3 classes, 3 remain for training and 0 for validation'),
        // What leaves so few is a limit, more often than a lack of recordings.
        fix: expect.stringContaining(
          'Choose another `train.validationShare`; or use more recordings: `frames.limit.train`',
        ),
      }),
    );
  });

  it('names the smallest share that holds a clip back', () => {
    const labels = Int32Array.of(0, 0, 0, 1);
    expect(() => splitClips(labels, 2, 0.3)).toThrow(
      expect.objectContaining({
        fix: expect.stringContaining(
          'the largest class, which has 3 (`train.validationShare: 0.334`), or none (0)',
        ),
      }),
    );
    expect([...splitClips(labels, 2, 0.334).validation]).toEqual([2]);
  });
});
