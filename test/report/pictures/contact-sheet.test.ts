import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { contactSheet, spreadSteps } from '../../../src/report/pictures/contact-sheet.ts';
import { decodePng } from './decode.ts';

const PAPER = [255, 255, 255];
const GROUND = [222, 226, 230];
const OFF = [0, 114, 178];

/** 2 steps of 1 x 2 pixels: OFF, then ON of each step. The largest count, 4, is at full strength. */
const tiny = { shape: [2, 2, 1, 2], data: Uint8Array.of(0, 4, 1, 0, 0, 4, 0, 4) };

describe('a contact sheet', () => {
  test('shows ON events in vermilion and OFF events in blue on white, stronger the more there are', () => {
    const { width, height, png } = contactSheet(tiny, { factor: 2 });
    const picture = decodePng(png);
    // 2 columns of 2 pixels, each of 2 x 2, and 4 pixels around and between; above them the numbers.
    expect(picture).toMatchObject({ width: 20, height: 10 + 23 });
    expect([width, height]).toEqual([20, 33]);
    const at = (x: number, y: number) => picture.at(x, y + 23);
    // 1 of 4 events: shade ceil(14 √¼) = 7, opacity 0.22 + 0.78 · 6/13 = 0.58; red 255 − 0.58 · (255 − 213) = 230.6.
    expect([at(4, 4), at(5, 5)]).toEqual([
      [231, 162, 107],
      [231, 162, 107],
    ]);
    expect([at(6, 4), at(7, 5)]).toEqual([OFF, OFF]);
    expect([at(12, 4), at(13, 5)]).toEqual([PAPER, PAPER]);
    // Both at full strength: 213 · 0 / 255, 94 · 114 / 255, 0 · 178 / 255.
    expect(at(14, 4)).toEqual([0, 42, 0]);
    for (const [x, y] of [
      [0, 0],
      [3, 4],
      [8, 4],
      [11, 5],
      [16, 4],
      [4, 3],
      [4, 6],
      [19, 9],
    ] as const) {
      expect(at(x, y)).toEqual(GROUND);
    }
  });

  test('numbers the steps from 1', () => {
    const { width, height, png } = contactSheet(tiny, { factor: 8 });
    // The number takes 5 dots of 3 pixels, with 4 pixels above and below.
    expect({ width, height }).toEqual({ width: 44, height: 39 });
    const { at } = decodePng(png);
    const dots = (left: number) =>
      Array.from({ length: 5 }, (_, y) =>
        Array.from({ length: 3 }, (_, x) => (at(left + 3 * x, 8 + 3 * y)[0] === 31 ? '#' : '.')).join(''),
      );
    expect(dots(4)).toEqual(['.#.', '##.', '.#.', '.#.', '###']);
    expect(dots(24)).toEqual(['###', '..#', '###', '#..', '###']);
    expect(at(4, 27)).toEqual([231, 162, 107]);
  });

  test('shows some steps by the scale of the whole clip', () => {
    const one = contactSheet(tiny, { steps: [0], factor: 1 });
    expect(one).toMatchObject({ width: 10, height: 9 + 23 });
    expect(decodePng(one.png).at(4, 4 + 23)).toEqual([231, 162, 107]);
    expect(contactSheet(tiny, { steps: [1, 0], factor: 1 })).toMatchObject({ width: 16 });
  });

  test.each([
    // steps, height, width: factor, columns
    [1, 34, 34, 8, 1],
    [8, 34, 34, 8, 4],
    [16, 32, 32, 8, 6],
    [20, 128, 128, 2, 5],
    [20, 180, 240, 1, 5],
    [7, 260, 346, 1, 4],
    [100, 34, 34, 8, 5],
    [3, 720, 1280, 1, 1],
  ])(
    'of %i steps of %i x %i pixels enlarges them by %i in %i columns',
    (steps, height, width, factor, columns) => {
      const sheet = contactSheet({
        shape: [steps, 2, height, width],
        data: new Uint8Array(steps * 2 * height * width),
      });
      const label = steps > 1 ? 23 : 0;
      expect(sheet).toMatchObject({
        width: 4 + columns * (width * factor + 4),
        height: 4 + Math.ceil(steps / columns) * (height * factor + 4 + label),
      });
    },
  );

  test('is the same, byte for byte, on every machine', () => {
    const data = Uint8Array.from({ length: 4 * 2 * 9 * 7 }, (_, i) => (i * 7919) % 5);
    const { png } = contactSheet({ shape: [4, 2, 9, 7], data }, { caption: 'SIMULATED' });
    expect(createHash('sha256').update(png).digest('hex')).toBe(
      'fb5bbe0206394f8bdb7b93341a1d3b1fcea10db4af7c7cb1ba6f518b697ab8fd',
    );
  });
});

describe('a picture of a still image', () => {
  test('is the image, enlarged', () => {
    // 1 x 2 pixels: red and green planes differ, blue is 7.
    const image = { shape: [1, 3, 1, 2], data: Uint8Array.of(255, 0, 10, 20, 7, 7) };
    const { at, width, height } = decodePng(contactSheet(image, { factor: 3 }).png);
    expect([width, height]).toEqual([6, 3]);
    for (const x of [0, 2]) expect(at(x, x)).toEqual([255, 10, 7]);
    for (const x of [3, 5]) expect(at(x, x - 3)).toEqual([0, 20, 7]);
  });
});

test('steps are spread evenly, with the first and the last', () => {
  expect(spreadSteps(3, 10)).toEqual([0, 1, 2]);
  expect(spreadSteps(20, 10)).toEqual([0, 2, 4, 6, 8, 11, 13, 15, 17, 19]);
  expect(spreadSteps(100, 2)).toEqual([0, 99]);
  expect(spreadSteps(5, 1)).toEqual([0]);
});
