import { expect, test } from 'vitest';
import type { Events } from '../../src/events/events.ts';
import { filmImages, filmPath, logLuminance, OwnScene, type PathPoint } from '../../src/explore/own-scene.ts';

/** From column 30 to 90 of row 64 in half a second. */
const RIGHT: readonly PathPoint[] = [
  { tUs: 0, x: 30, y: 64 },
  { tUs: 500_000, x: 90, y: 64 },
];

const rowsOf = ({ tUs, x, y, p }: Events) =>
  Array.from(tUs, (t, i) => ({ tUs: t, x: x[i]!, y: y[i]!, p: p[i]! }));

test('a bright disc that moves right gives ON events at its front and OFF events behind', () => {
  const events = rowsOf(filmPath(RIGHT, 'disc'));
  const ahead = ({ tUs, x }: (typeof events)[number]) => x - (30 + (60 * tUs) / 500_000);
  const near = events.filter((event) => Math.abs(event.y - 64) <= 2 && Math.abs(ahead(event)) <= 7);
  // Over 5 rows, each of the 60 columns brightens and darkens at least once.
  for (const p of [0, 1]) expect(near.filter((event) => event.p === p).length).toBeGreaterThan(300);
  const expected = near.filter((event) => Math.sign(ahead(event)) === (event.p === 1 ? 1 : -1));
  expect(expected.length / near.length).toBeGreaterThan(0.97);
  // Noise is 0.04 events a second and pixel: about 330; hot pixels are six.
  expect(events.filter((event) => Math.abs(event.y - 64) > 8).length).toBeLessThan(500);
});

test('while one moves, a disc makes ON events where it comes, OFF events where it was, once each', () => {
  const scene = new OwnScene('disc');
  const eventsAt = (x: number, y: number) => scene.watch(x, y).events;
  const [before, after] = [64 * 128 + 30, 64 * 128 + 60];
  expect(eventsAt(30, 64).every((event) => event === 0)).toBe(true);
  const moved = eventsAt(60, 64);
  expect([moved[before], moved[after]]).toEqual([-1, 1]);
  expect(eventsAt(60, 64).every((event) => event === 0)).toBe(true);
});

test('the same path gives the same events, however many points on its lines it has', () => {
  const finer = Array.from({ length: 51 }, (_, i) => ({ tUs: 10_000 * i, x: 30 + 1.2 * i, y: 64 }));
  const [once, again, fine] = [RIGHT, RIGHT, finer].map((path) => filmPath(path, 'disc'));
  expect(again).toEqual(once);
  // Up to rounding of the places between the points.
  expect(Math.abs(fine!.tUs.length - once!.tUs.length)).toBeLessThan(20);
});

test('a person follows with one arm, the other hangs still', () => {
  const up = (x: number): readonly PathPoint[] => [
    { tUs: 0, x, y: 80 },
    { tUs: 500_000, x, y: 30 },
  ];
  const countSides = ({ x }: Events) => [
    x.filter((one) => one < 50).length,
    x.filter((one) => one > 78).length,
  ];
  // A person's right arm is on the left of the picture.
  const [left, right] = countSides(filmPath(up(20), 'right arm'));
  expect(left! / right!).toBeGreaterThan(5);
  const [still, moved] = countSides(filmPath(up(108), 'left arm'));
  expect(moved! / still!).toBeGreaterThan(5);
});

test('a picture that brightens makes ON events, one that stays the same only noise', () => {
  const grey = (value: number) => logLuminance(new Uint8ClampedArray(4 * 128 * 128).fill(value));
  const images = (last: number) => [
    { tUs: 0, level: grey(40) },
    { tUs: 30_000, level: grey(last) },
  ];
  const still = filmImages(images(40));
  // ln((24 + 120) / (24 + 40)) = 0.81: two thresholds of 0.32 for nearly every pixel, minus what it misses while it is reset.
  const brighter = filmImages(images(120));
  expect(still.tUs.length).toBeLessThan(100);
  expect(brighter.tUs.length / 128 ** 2).toBeGreaterThan(1.5);
  expect(brighter.p.filter((p) => p === 1).length / brighter.p.length).toBeGreaterThan(0.99);
});
