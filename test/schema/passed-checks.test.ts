import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { PassedChecks } from '../../src/schema/passed-checks.ts';
import { sharedTemporaryFolder } from '../support/temporary-folder.ts';

const folder = sharedTemporaryFolder();

describe('a value that has passed a schema', () => {
  test('is known to the next run, and no other value is', async () => {
    const file = path.join(folder, 'deep', 'er', 'passed');
    const first = PassedChecks.open(file);
    expect(first.has('schema', 'a')).toBe(false);
    first.add('schema', 'a');
    await first.save();
    const second = PassedChecks.open(file);
    expect(second.has('schema', 'a')).toBe(true);
    expect(second.has('schema', 'b')).toBe(false);
    expect(second.has('schem', 'aa')).toBe(false);
    expect(second.has('other schema', 'a')).toBe(false);
  });

  test('is forgotten, not trusted, when its file is damaged', async () => {
    const file = path.join(folder, 'damaged');
    const first = PassedChecks.open(file);
    first.add('schema', 'a');
    await first.save();
    await writeFile(file, (await readFile(file, 'utf8')).slice(0, 40));
    expect(PassedChecks.open(file).has('schema', 'a')).toBe(false);
  });

  test('causes no error if it cannot be saved', async () => {
    const blocked = path.join(folder, 'blocked');
    await writeFile(blocked, '');
    const checks = PassedChecks.open(path.join(blocked, 'passed'));
    checks.add('schema', 'a');
    await expect(checks.save()).resolves.toBeUndefined();
  });
});
