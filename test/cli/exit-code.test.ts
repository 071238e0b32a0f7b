import { expect, test } from 'vitest';
import { exitCodeOf, exitCodeOfSignal } from '../../src/cli/exit-code.ts';
import { ReproError } from '../../src/errors.ts';

test('an error ends with the code of its kind: configuration, lock, disk, or a fault of the program', () => {
  const errors = [
    new ReproError('configuration', ''),
    new ReproError('usage', ''),
    new ReproError('locked', ''),
    new ReproError('disk-enospc', ''),
    new TypeError(),
  ];
  expect(errors.map(exitCodeOf)).toEqual([2, 2, 75, 1, 1]);
});

test('a signal ends with 128 and its number', () => {
  expect((['SIGHUP', 'SIGINT', 'SIGTERM'] as const).map(exitCodeOfSignal)).toEqual([129, 130, 143]);
});
