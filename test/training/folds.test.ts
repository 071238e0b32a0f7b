import { describe, expect, it, test } from 'vitest';
import { chooseTestUsers, dealUsers, type Folds } from '../../src/training/folds.ts';
import { GESTURES } from '../support/datasets.ts';

/** The clips of DVS128 Gesture: twelve in each published recording. */
const clips = Object.keys({ ...GESTURES.recordings.train, ...GESTURES.recordings.test }).flatMap((name) => {
  const [, user, light] = /^user(\d+)_(\w+)\.aedat$/.exec(name) ?? [];
  return Array.from({ length: 12 }, () => ({ user: Number(user), light: light ?? null }));
});
const users = Array.from({ length: 29 }, (_, user) => user + 1);
const deal = (folds: Folds, pass = 404) => dealUsers(clips, folds, 'dvs128-gesture', pass);
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

  it('differ between five folds by at most five recordings, and by two of each light, in every pass', () => {
    for (let pass = 0; pass < 50; pass++) {
      const dealt = deal(5, pass);
      const count = (fold: readonly number[], light?: string) =>
        clips.filter((one) => fold.includes(one.user) && (light === undefined || one.light === light)).length;
      expect(range(dealt.map((fold) => count(fold)))).toBeLessThanOrEqual(60);
      for (const light of ['fluorescent', 'fluorescent_led', 'lab', 'led', 'natural'])
        expect(range(dealt.map((fold) => count(fold, light)))).toBeLessThanOrEqual(24);
    }
  });

  it('are dealt the same however the clips are ordered, and in another way in each pass and with another seed', () => {
    expect(dealUsers(clips.toReversed(), 5, 'dvs128-gesture', 404)).toEqual(deal(5));
    expect(deal({ count: 5, seed: 1 })).toEqual(deal(5));
    expect(deal({ count: 5, seed: 2 })).not.toEqual(deal(5));
    const passes = Array.from({ length: 20 }, (_, pass) => JSON.stringify(deal(5, pass)));
    expect(new Set(passes).size).toBe(20);
  });

  it('share a fold with others in other passes', () => {
    const companions = (pass: number) => deal(5, pass).find((fold) => fold.includes(1));
    const met = new Set(Array.from({ length: 20 }, (_, pass) => companions(pass) ?? []).flat());
    expect(met.size).toBeGreaterThan(25);
  });
});

it('n seeds from a multiple of n on test each user once, whatever other seeds there are', () => {
  const index = { dataset: 'dvs128-gesture', splits: { train: clips.slice(500), test: clips.slice(0, 500) } };
  const choose = (folds: Folds, seed: number) => chooseTestUsers(index as never, folds, seed);
  const seeds = [2020, 2021, 2022, 2023, 2024];
  expect(seeds.map((seed) => choose(5, seed))).toEqual(deal(5, 404));
  expect(seeds.map((seed) => choose({ count: 5, seed: 3 }, seed + 5))).toEqual(
    deal({ count: 5, seed: 3 }, 405),
  );
  expect(choose([users.slice(0, 9), users.slice(9)], 7)).toEqual(users.slice(9));
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
  expect(() => dealUsers([{ user: null, light: null }], 5, 'nmnist', 0)).toThrow(
    'the clips of nmnist have no users.',
  );
});
