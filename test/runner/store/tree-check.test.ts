import { expect, test } from 'vitest';
import { isSafeTree } from '../../../src/runner/store/tree-check.ts';

const sha256 = 'a'.repeat(64);
const listOf = (files: readonly string[], emptyFolders: readonly string[] = []) => ({
  entries: files.map((path) => ({ path, size: 1, sha256 })),
  emptyFolders,
});

test('a list of files is one that a scan could have made', () => {
  expect(isSafeTree(listOf(['a', 'x-y', 'x/y', 'x0'], ['b', 'x/z']))).toBe(true);
  expect(isSafeTree(listOf([`${'ž'.repeat(127)}a`]))).toBe(true);
  expect(isSafeTree({ entries: [{ path: 'a', size: 1, sha256, executable: true }], emptyFolders: [] })).toBe(
    true,
  );
});

test.each([
  ['a file twice', listOf(['x', 'x'])],
  ['an empty folder twice', listOf([], ['x', 'x'])],
  ['a file beside a folder of its name', listOf(['x', 'x/y'])],
  ['the same with another name between them', listOf(['x', 'x-y', 'x/y/z'])],
  ['a file that is also an empty folder', listOf(['x'], ['x'])],
  ['a file in an empty folder', listOf(['x/y'], ['x'])],
  ['an empty folder below a file', listOf(['x'], ['x/y'])],
  ['files in another order than that of a scan', listOf(['b', 'a'])],
  ['a name of 256 bytes', listOf(['ž'.repeat(128)])],
  ['a path of 4096 bytes', listOf(['abcdefg/'.repeat(512).slice(0, -1).concat('h')])],
  ['half a character', listOf(['x\ud800'])],
  ['an unknown field', { ...listOf(['x']), note: 1 }],
  ['an unknown field of a file', { entries: [{ path: 'x', size: 1, sha256, mode: 7 }], emptyFolders: [] }],
  ['another mode', { entries: [{ path: 'x', size: 1, sha256, executable: 'yes' }], emptyFolders: [] }],
])('a list with %s is refused', (_, tree) => {
  expect(isSafeTree(tree)).toBe(false);
});
