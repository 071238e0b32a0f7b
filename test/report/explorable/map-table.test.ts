import { describe, expect, test } from 'vitest';
import type { Shape } from '../../../src/network/maps.ts';
import { layOutMaps, neighbourOf } from '../../../src/report/explorable/charts.ts';

const shapes: readonly Shape[] = [
  [32, 32, 32],
  [32, 8, 8],
  [7, 5, 3],
  [128, 1, 1],
  [110, 1, 1],
  [1, 16, 16],
  [16, 128, 128],
];

describe('the picture of a layer', () => {
  test.each(shapes.map((shape) => [shape]))('has a square of pixels for each neuron of %j', (shape) => {
    const { neurons, cell, width, height } = layOutMaps(shape);
    expect(neurons).toHaveLength(width * height);
    const count = shape[0] * shape[1] * shape[2];
    const pixels = new Float64Array(count);
    for (const neuron of neurons) if (neuron !== -1) pixels[neuron]! += 1;
    expect(pixels.every((count) => count === cell ** 2)).toBe(true);
  });
});

test('arrow keys move over the edge of a map to the next one, and stop at the edge of the picture', () => {
  // Nine maps in rows of eight: neurons 0 1 | 4 5, 2 3 | 6 7, and so on; below the first map 32 33, 34 35.
  const table = layOutMaps([9, 2, 2]);
  expect(neighbourOf(table, 0, 1, 0)).toBe(1);
  expect(neighbourOf(table, 1, 1, 0)).toBe(4);
  expect(neighbourOf(table, 4, -1, 0)).toBe(1);
  expect(neighbourOf(table, 2, 0, 1)).toBe(32);
  expect(neighbourOf(table, 29, 1, 0)).toBe(29);
  expect(neighbourOf(table, 0, 0, -1)).toBe(0);
  expect(neighbourOf(table, 6, 0, 1)).toBe(6);
  expect(neighbourOf(table, 33, 1, 0)).toBe(33);
});
