import { expect, it } from 'vitest';
import { PALETTE } from '../../../src/report/drawing/palette.ts';
import { cellTextColor } from '../../../src/report/figures/confusion.ts';

type Scheme = 'light' | 'dark';

/** sRGB, each channel from 0 to 1. */
const channelsOf = (name: string, scheme: Scheme) =>
  [1, 3, 5].map((at) => Number.parseInt(PALETTE[name]![scheme].slice(at, at + 2), 16) / 255);

/** WCAG 2.2, success criterion 1.4.3. */
const luminanceOf = (channels: readonly number[]) =>
  channels
    .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4))
    .reduce((sum, value, i) => sum + value * [0.2126, 0.7152, 0.0722][i]!, 0.05);

const mix = (one: readonly number[], other: readonly number[], share: number) =>
  one.map((value, i) => value * (1 - share) + other[i]! * share);

it.each(['light', 'dark'] as const)(
  'texts in cells have the contrast that small text needs, at every share, %s',
  (scheme) => {
    const empty = mix(channelsOf('surface', scheme), channelsOf('ink', scheme), 0.05);
    const contrasts = Array.from({ length: 1001 }, (_, i) => {
      const cell = luminanceOf(mix(empty, channelsOf('heat', scheme), i / 1000));
      const text = luminanceOf(channelsOf(cellTextColor(i / 1000), scheme));
      return Math.max(cell, text) / Math.min(cell, text);
    });
    expect(Math.min(...contrasts)).toBeGreaterThan(4.5);
    expect(Math.max(...contrasts)).toBeGreaterThan(10);
  },
);
