import fs from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { makeFolder } from '../../../src/base/files/folders.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const fix = 'Choose another.';
let folder: string;

beforeEach(async () => {
  folder = await temporaryFolder();
});

describe('a new folder', () => {
  test('is made with its missing parents, and the outermost of them is reported', async () => {
    const wanted = path.join(folder, 'a/b/c');
    expect(await makeFolder(wanted, fix)).toBe(path.join(folder, 'a'));
    expect((await fs.stat(wanted)).isDirectory()).toBe(true);
    expect(await makeFolder(wanted, fix)).toBeUndefined();
    expect(await makeFolder(path.join(folder, 'a/d'), fix)).toBe(path.join(folder, 'a/d'));
  });

  test('can be made by several callers at once', async () => {
    const wanted = path.join(folder, 'a/b/c');
    await Promise.all(Array.from({ length: 8 }, () => makeFolder(wanted, fix)));
    expect((await fs.stat(wanted)).isDirectory()).toBe(true);
  });

  test('is refused below a file, naming the file', async () => {
    const file = path.join(folder, 'file');
    await fs.writeFile(file, '');
    for (const wanted of [file, path.join(file, 'a/b')]) {
      await expect(makeFolder(wanted, fix)).rejects.toMatchObject({
        code: 'output-nowhere',
        message: 'expected a folder, found a file.',
        where: file,
        fix,
      });
    }
  });
});
