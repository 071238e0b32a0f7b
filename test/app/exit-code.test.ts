import { expect, test } from 'vitest';
import { exitCodeOf, exitCodeOfSignal } from '../../src/app/process/ending.ts';
import { ReproError } from '../../src/base/errors.ts';

test('the exit code depends on the kind of error: configuration, lock, disk, or internal', () => {
  const errors = [
    new ReproError('configuration', ''),
    new ReproError('usage', ''),
    new ReproError('locked', ''),
    new ReproError('disk-enospc', ''),
    new TypeError(),
  ];
  expect(errors.map(exitCodeOf)).toEqual([2, 2, 75, 1, 1]);
});

test('a signal gives 128 plus its number', () => {
  expect((['SIGHUP', 'SIGINT', 'SIGTERM'] as const).map(exitCodeOfSignal)).toEqual([129, 130, 143]);
});
