import path from 'node:path';
import { expect, test } from 'vitest';
import { describeError } from '../../../src/base/errors.ts';
import { explainDiskError } from '../../../src/base/files/disk-error.ts';

function systemError(code: string, path?: string): Error {
  return Object.assign(new Error(`${code}: as the system calls it`), { code, ...(path && { path }) });
}

test.each([
  ['ENOSPC', 'the disk is full'],
  ['EDQUOT', 'your disk quota is used up'],
  ['EROFS', 'the file system is read-only'],
  ['EACCES', 'permission is denied'],
  ['EXDEV', 'this would be moved to another disk'],
])('%s is reported with its path, a fix, and that nothing is lost', (code, text) => {
  const told = describeError(explainDiskError(systemError(code, import.meta.filename), { keepsWork: true }));
  expect(told).toContain(`${import.meta.filename}  ${text} (${code})\n  `);
  expect(told).toContain('then run again: finished work is kept.');
});

test('what could not be made where nothing may be made is named by the folder that is there', () => {
  const missing = path.join(import.meta.dirname, 'missing', '7.json.partial');
  expect(describeError(explainDiskError(systemError('EACCES', missing)))).toContain(
    `${import.meta.dirname}  permission is denied (EACCES)`,
  );
});

test('a disk error without a path says who encountered it, and promises nothing that it cannot know', () => {
  expect(describeError(explainDiskError(systemError('ENOSPC'), { doing: 'stage "s"' }))).toBe(
    'stage "s": the disk is full (ENOSPC)\n  Free some space, then run again.',
  );
});

test('an error that is not a disk error is left unchanged', () => {
  const error = systemError('ERR_ASSERTION');
  expect(explainDiskError(error)).toBe(error);
});
