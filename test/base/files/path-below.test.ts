import { expect, test } from 'vitest';
import { isAtOrBelow, isBelow } from '../../../src/base/files/folders.ts';

test.each([
  { file: '/a/b/c', folder: '/a/b', below: true },
  { file: '/a/b', folder: '/a/b', below: false },
  { file: '/a/bc', folder: '/a/b', below: false },
  { file: '/a', folder: '/a/b', below: false },
  { file: '/a', folder: '/', below: true },
])('$file is below $folder: $below', ({ file, folder, below }) => {
  expect(isBelow(file, folder)).toBe(below);
  expect(isAtOrBelow(file, folder)).toBe(below || file === folder);
});
