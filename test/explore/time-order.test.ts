import { expect, it } from 'vitest';
import { reorderSteps, sourceSteps } from '../../src/explore/time-order.ts';

// Three steps of two values.
const FRAMES = Uint8Array.of(1, 2, 3, 4, 5, 6);

it('as it is, a clip is the same array', () => {
  expect(reorderSteps(FRAMES, 3, 'as-is', 1)).toBe(FRAMES);
});

it('reversed, the last frame comes first', () => {
  expect(reorderSteps(FRAMES, 3, 'reversed', 0)).toEqual(Uint8Array.of(5, 6, 3, 4, 1, 2));
});

it('frozen, each frame is the chosen one', () => {
  expect(reorderSteps(FRAMES, 3, 'frozen', 1)).toEqual(Uint8Array.of(3, 4, 3, 4, 3, 4));
});

it('shuffled, each frame appears once, in an order that is always the same and not the natural one', () => {
  const natural = Array.from({ length: 16 }, (_, step) => step);
  const shuffled = sourceSteps(16, 'shuffled', 0);
  expect(shuffled.toSorted((a, b) => a - b)).toEqual(natural);
  expect(shuffled).not.toEqual(natural);
  expect(sourceSteps(16, 'shuffled', 5)).toEqual(shuffled);
  expect([...reorderSteps(Float32Array.from(natural), 16, 'shuffled', 0)]).toEqual(shuffled);
});
