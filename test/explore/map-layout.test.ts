import { describe, expect, test } from 'vitest';
import {
  layoutMaps,
  type MapShape,
  mapOrigin,
  neighbourOf,
  neuronAtPoint,
} from '../../src/explore/map-layout.ts';

const shapes: readonly MapShape[] = [
  [32, 32, 32],
  [32, 8, 8],
  [7, 5, 3],
  [128, 1, 1],
  [110, 1, 1],
  [1, 16, 16],
];

describe('a mosaic of maps', () => {
  test('never is wider than its room, at any width and pixel ratio', () => {
    for (const shape of [...shapes, [128, 128, 128] as const]) {
      for (const width of [280, 368, 620, 1200]) {
        for (const ratio of [1, 1.25, 2, 3]) {
          const layout = layoutMaps(shape, width, ratio);
          expect(layout.width).toBeLessThanOrEqual(width * ratio);
          expect(layout.columns * layout.rows).toBeGreaterThanOrEqual(shape[0]);
        }
      }
    }
  });

  test('has eight columns for 32 channels, and maps of one size for all layers', () => {
    const layouts = [32, 16, 8].map((side) => layoutMaps([32, side, side], 568, 1));
    expect(layouts.map(({ columns, cell }) => [columns, cell])).toEqual([
      [8, 2],
      [8, 4],
      [8, 8],
    ]);
    // 8 · 64 + 7 · 5, and 4 · 64 + 3 · 5.
    expect(layouts.map(({ width, height }) => [width, height])).toEqual([
      [547, 271],
      [547, 271],
      [547, 271],
    ]);
  });

  test('has sixteen columns for 128 channels, but not on a phone', () => {
    expect(layoutMaps([128, 32, 32], 568, 1).columns).toBe(16);
    expect(layoutMaps([128, 32, 32], 340, 1).columns).toBe(8);
  });

  test('wraps the neurons of a linear layer into rows', () => {
    // 25 · 20 + 24 · 2 = 548 of 568 px.
    const { columns, rows } = layoutMaps([110, 1, 1], 568, 1);
    expect([columns, rows]).toEqual([25, 5]);
  });

  test('draws several neurons in a pixel where a map has more than fit', () => {
    expect(layoutMaps([128, 128, 128], 568, 1)).toMatchObject({ columns: 16, cell: 1 / 5 });
  });
});

test('the middle of each cell belongs to its neuron', () => {
  for (const shape of shapes) {
    const [channels, height, width] = shape;
    const layout = layoutMaps(shape, 400, 2);
    const found = Array.from({ length: channels * height * width }, (_, index) => {
      const [left, top] = mapOrigin(layout, Math.floor(index / (height * width)));
      const x = left + ((index % width) + 0.5) * layout.cell;
      const y = top + ((Math.floor(index / width) % height) + 0.5) * layout.cell;
      return neuronAtPoint(layout, x, y);
    });
    expect(found).toEqual(found.map((_, index) => index));
  }
});

test('there is no neuron between maps, behind the last one, or outside', () => {
  const layout = { shape: [3, 2, 2] as const, columns: 2, rows: 2, cell: 10, gap: 4, width: 44, height: 44 };
  expect(neuronAtPoint(layout, 19, 19)).toBe(3);
  expect(neuronAtPoint(layout, 21, 5)).toBeNull();
  expect(neuronAtPoint(layout, 5, 22)).toBeNull();
  expect(neuronAtPoint(layout, 30, 30)).toBeNull();
  expect(neuronAtPoint(layout, 45, 5)).toBeNull();
  expect(neuronAtPoint(layout, -1, 5)).toBeNull();
});

test('arrow keys move over the edge of a map to the next one, and stop at the edge of the mosaic', () => {
  // Channels 0 and 1 above channel 2; neurons 0 1 | 4 5, 2 3 | 6 7, then 8 9, 10 11.
  const layout = { shape: [3, 2, 2] as const, columns: 2, rows: 2, cell: 10, gap: 4, width: 44, height: 44 };
  expect(neighbourOf(layout, 0, 1, 0)).toBe(1);
  expect(neighbourOf(layout, 1, 1, 0)).toBe(4);
  expect(neighbourOf(layout, 4, -1, 0)).toBe(1);
  expect(neighbourOf(layout, 2, 0, 1)).toBe(8);
  expect(neighbourOf(layout, 5, 1, 0)).toBe(5);
  expect(neighbourOf(layout, 0, 0, -1)).toBe(0);
  expect(neighbourOf(layout, 6, 0, 1)).toBe(6);
  expect(neighbourOf(layout, 10, 0, 1)).toBe(10);
});
