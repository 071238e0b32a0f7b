import { expect, test } from 'vitest';
import { describeError } from '../../src/errors.ts';
import { explainDiskError } from '../../src/stage/disk-error.ts';

function systemError(code: string, path?: string): Error {
  return Object.assign(new Error(`${code}: as the system calls it`), { code, ...(path && { path }) });
}

test.each([
  ['ENOSPC', 'the disk is full'],
  ['EDQUOT', 'your disk quota is used up'],
  ['EROFS', 'the file system is read-only'],
  ['EACCES', 'permission is denied'],
])('%s is told with its path, a remedy, and that nothing is lost', (code, text) => {
  const told = describeError(explainDiskError(systemError(code, '/data/x')));
  expect(told).toContain(`/data/x  ${text} (${code})\n  `);
  expect(told).toContain('then run again: finished work is kept.');
});

test('a disk error without a path is told with who met it', () => {
  expect(describeError(explainDiskError(systemError('ENOSPC'), 'stage "s"'))).toBe(
    'stage "s": the disk is full (ENOSPC)\n  Free some space, then run again: finished work is kept.',
  );
});

test('an error that is not the disk’s is left as it is', () => {
  const error = systemError('ERR_ASSERTION');
  expect(explainDiskError(error)).toBe(error);
});
