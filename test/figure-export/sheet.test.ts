import { describe, expect, it } from 'vitest';
import { prepareSheet } from '../../src/figure-export/sheet.ts';
import { makeSheet, NOTICE } from './made-up-figure.ts';

const prepare = (panels: number, widthMm?: number, notice: string | null = null) =>
  prepareSheet('a.svg', makeSheet(notice, panels), {
    title: false,
    fonts: 'Arial',
    ...(widthMm === undefined ? {} : { widthMm }),
  });
const placesIn = (svg: string) =>
  [...svg.matchAll(/<svg data-part="panel" x="(\d+)" y="(\d+)"/g)].map(([, x, y]) => [Number(x), Number(y)]);

describe('panels of an exported figure', () => {
  it('are side by side as in the report where that leaves labels of 6 pt', () => {
    // Two of 400 px with 24 between them and 4 around: 832 px, so that 11 px are 6.7 pt at 180 mm.
    const { svg, labelPoints, width } = prepare(3, 180);
    expect(width).toBe(832);
    expect(labelPoints).toBeCloseTo((11 / 832) * (180 / 25.4) * 72, 6);
    expect(placesIn(svg)).toEqual([
      [20, 76],
      [444, 76],
      [20, 300],
    ]);
  });

  it('are one below the other where labels would be smaller', () => {
    const { svg, labelPoints, width, height } = prepare(3, 88);
    expect(placesIn(svg)).toEqual([
      [20, 76],
      [20, 300],
      [20, 524],
    ]);
    expect(width).toBe(408);
    // From 46 px, 16 of them above the legend's margin, to 4 below the last panel.
    expect(height).toBe(524 + 200 + 4 - 46);
    expect(svg).toContain('<rect width="424" height="728" fill="#ffffff"/>');
    expect(labelPoints).toBeCloseTo(6.73, 2);
  });

  it('are as in the report without a width', () => {
    expect(placesIn(prepare(2).svg)).toEqual([
      [20, 76],
      [444, 76],
    ]);
  });

  it('leave room for the warning', () => {
    expect(placesIn(prepare(1, 88, NOTICE).svg)).toEqual([[20, 98]]);
    expect(prepare(1, 40, 'Simulated '.repeat(20)).width).toBe(8 + 200 * 12 * 0.55);
  });

  it('are told to be illegible where even one is too small', () => {
    expect(prepare(1, 70).labelPoints).toBeLessThan(6);
  });
});
