import { expect, test } from 'vitest';
import { createImage, drawCapsule } from '../../../src/datasets/simulated/scene.ts';

test('a disc covers its middle fully, its edge half, and nothing beyond', () => {
  const image = createImage(21, 21);
  drawCapsule(image, 10, 10, 10, 10, 5, { level: 1, rim: 0 });
  const at = (x: number, y: number) => image.level[y * 21 + x]!;
  expect(at(10, 10)).toBe(1);
  expect(at(10, 14)).toBe(1);
  // ρ = radius: (0.8 + 0) / 1.6 of the disc over a background of 0.
  expect(at(15, 10)).toBeCloseTo(0.5, 6);
  expect(at(10, 5)).toBeCloseTo(0.5, 6);
  expect(at(16, 10)).toBe(0);
});

test('the rim is darker than the axis by the square of the distance', () => {
  const image = createImage(21, 21);
  drawCapsule(image, 4, 10, 16, 10, 6, { level: 1, rim: 0.9 });
  const at = (x: number, y: number) => image.level[y * 21 + x]!;
  expect(at(10, 10)).toBe(1);
  // (3 / 6)² · 0.9 = 0.225.
  expect(at(10, 13)).toBeCloseTo(0.775, 6);
  expect(at(10, 7)).toBeCloseTo(0.775, 6);
});

test('area changes smoothly as a disc moves by fractions of a pixel', () => {
  const area = (x: number) => {
    const image = createImage(32, 32);
    drawCapsule(image, x, 16, x, 16, 4, { level: 1, rim: 0 });
    return image.level.reduce((sum, level) => sum + level, 0);
  };
  // ∫ of the coverage over the plane: π (r² + 0.8² / 3).
  const expected = Math.PI * (16 + 0.64 / 3);
  for (let x = 14; x < 15; x += 0.1) expect(Math.abs(area(x) - expected)).toBeLessThan(0.6);
});

test('anything outside the image is cut off without harm', () => {
  const image = createImage(8, 8);
  drawCapsule(image, -20, 3, 40, 3, 2, { level: 1, rim: 0 });
  expect(image.level[3 * 8]).toBe(1);
  expect(image.level[3 * 8 + 7]).toBe(1);
  drawCapsule(image, 100, 100, 120, 100, 5, { level: 9, rim: 0 });
  expect(Math.max(...image.level)).toBe(1);
});
