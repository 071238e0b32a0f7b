import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { chooseTestUsers, dealUsers, type Folds } from '../../src/training/folds.ts';
import { GESTURES } from '../support/datasets.ts';

/** The clips of DVS128 Gesture: twelve in each published recording. */
const clips = Object.keys({ ...GESTURES.recordings.train, ...GESTURES.recordings.test }).flatMap((name) => {
  const [, user, light] = /^user(\d+)_(\w+)\.aedat$/.exec(name) ?? [];
  return Array.from({ length: 12 }, () => ({ user: Number(user), light: light ?? null }));
});
const users = Array.from({ length: 29 }, (_, user) => user + 1);
const deal = (folds: Folds) => dealUsers(clips, folds, 'dvs128-gesture');
const range = (values: readonly number[]) => Math.max(...values) - Math.min(...values);

describe('the 29 users of DVS128 Gesture', () => {
  it.each([2, 3, 5, 10, 29])(
    'are dealt to %i folds, each to one, as many to each as there can be',
    (folds) => {
      const dealt = deal(folds);
      expect(dealt.flat().sort((a, b) => a - b)).toEqual(users);
      expect(range(dealt.map(({ length }) => length))).toBe(29 % folds === 0 ? 0 : 1);
    },
  );

  it.each([1, 2, 3, 2020])(
    'have in five folds 276 to 300 clips, of each light as many but for a recording, with seed %i',
    (seed) => {
      const dealt = deal({ count: 5, seed });
      const count = (fold: readonly number[], light?: string) =>
        clips.filter((one) => fold.includes(one.user) && (light === undefined || one.light === light)).length;
      expect(range(dealt.map((fold) => count(fold)))).toBe(24);
      for (const light of ['fluorescent', 'fluorescent_led', 'lab', 'led', 'natural'])
        expect(range(dealt.map((fold) => count(fold, light)))).toBeLessThanOrEqual(12);
    },
  );

  it('are dealt the same however the clips are ordered, and in another way with another seed', () => {
    expect(dealUsers(clips.toReversed(), 5, 'dvs128-gesture')).toEqual(deal(5));
    expect(deal({ count: 5, seed: 1 })).toEqual(deal(5));
    expect(deal({ count: 5, seed: 2 })).not.toEqual(deal(5));
  });

  it('are in five folds as docs/training.md says', async () => {
    const page = await readFile(path.resolve(import.meta.dirname, '../../docs/training.md'), 'utf8');
    for (const [fold, dealt] of deal(5).entries()) {
      const own = clips.filter(({ user }) => dealt.includes(user)).length;
      expect(page).toContain(`| ${fold} | ${dealt.join(', ')} | ${own} |`);
    }
  });
});

it('a seed tests fold `seed mod n`, whatever other seeds there are', () => {
  const index = { dataset: 'dvs128-gesture', splits: { train: clips.slice(500), test: clips.slice(0, 500) } };
  const chosen = [2020, 2021, 2022, 2023, 2024, 2025].map((seed) => chooseTestUsers(index as never, 5, seed));
  expect(chosen.slice(0, 5)).toEqual(deal(5));
  expect(chosen[5]).toEqual(chosen[0]);
});

test('listed folds are taken as they are', () => {
  const lists = [users.slice(23).toReversed(), users.slice(0, 23)];
  expect(deal(lists)).toEqual([users.slice(23), users.slice(0, 23)]);
});

test.each<[string, Folds, string]>([
  ['more folds than users', 30, '30 folds are too many for 29 users.'],
  ['a user in two of them', [users, [3]], 'user 3 is in 2 folds.'],
  ['a user twice in one', [users.slice(3), [1, 2, 3, 3]], 'user 3 is in 2 folds.'],
  ['a user in none', [users.slice(0, 10), users.slice(11)], 'user 11 is in no fold.'],
  ['a user without clips', [users, [92]], 'user 92 has no clips.'],
])('folds with %s are refused', (_, folds, message) => {
  expect(() => deal(folds)).toThrow(
    expect.objectContaining({ code: 'folds-invalid', message, where: 'dataset.folds' }),
  );
});

test('folds of clips without users are refused', () => {
  expect(() => dealUsers([{ user: null, light: null }], 5, 'nmnist')).toThrow(
    'the clips of nmnist have no users.',
  );
});
