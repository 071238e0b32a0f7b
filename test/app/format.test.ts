import { expect, test } from 'vitest';
import { foldInstances, formatAbout, formatFigure, formatSeconds } from '../../src/app/view/format.ts';
import { formatBytes } from '../../src/base/text.ts';

test('durations get coarser the longer they are', () => {
  expect([0, 0.84, 9.96, 59.6, 61, 3599.6, 7620].map(formatSeconds).join(', ')).toBe(
    '0.0 s, 0.8 s, 10 s, 1 min 00 s, 1 min 01 s, 1 h 00 min, 2 h 07 min',
  );
});

test('estimated durations have no more digits than they deserve', () => {
  expect([0, 1, 40, 119, 300, 7100, 45_000, 171_000, 610_000, 3_200_000].map(formatAbout).join(', ')).toBe(
    '0 seconds, 1 second, 40 seconds, 2 minutes, 5 minutes, 2 hours, 13 hours, 2 days, 7.1 days, 37 days',
  );
});

test('bytes move on to the next unit before they need four digits', () => {
  expect([0, 999, 1000, 123_456, 999_600, 2_900_000_000].map(formatBytes).join(', ')).toBe(
    '0 B, 999 B, 1.0 kB, 123 kB, 1.0 MB, 2.9 GB',
  );
});

test('numbers keep four digits and use exponents only if needed', () => {
  expect([3, 0.123456, 0.00001234, 1234567.8].map(formatFigure).join(', ')).toBe(
    '3, 0.1235, 1.234e-5, 1.235e+6',
  );
});

test('several instances of a stage are merged, a single one keeps its id', () => {
  expect(foldInstances(['verify', 'train@a,1', 'train@b,1', 'evaluate@a,1'])).toEqual([
    'verify',
    'train ×2',
    'evaluate@a,1',
  ]);
});
