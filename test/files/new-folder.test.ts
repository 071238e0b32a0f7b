import { existsSync } from 'node:fs';
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeFolder } from '../../src/files/new-folder.ts';

const fix = 'Name another.';
let folder: string;

beforeEach(async () => {
  folder = await fs.mkdtemp(path.join(os.tmpdir(), 'repro-folder-'));
});

afterEach(() => fs.rm(folder, { recursive: true, force: true }));

describe('a new folder', () => {
  test('is made with those that it lies in, and the outermost of them is told', async () => {
    const wanted = path.join(folder, 'a/b/c');
    expect(await makeFolder(wanted, fix)).toBe(path.join(folder, 'a'));
    expect((await fs.stat(wanted)).isDirectory()).toBe(true);
    expect(await makeFolder(wanted, fix)).toBeUndefined();
    expect(await makeFolder(path.join(folder, 'a/d'), fix)).toBe(path.join(folder, 'a/d'));
  });

  test('is made by several at once', async () => {
    const wanted = path.join(folder, 'a/b/c');
    await Promise.all(Array.from({ length: 8 }, () => makeFolder(wanted, fix)));
    expect((await fs.stat(wanted)).isDirectory()).toBe(true);
  });

  test('is refused below a file, which is named', async () => {
    const file = path.join(folder, 'file');
    await fs.writeFile(file, '');
    for (const wanted of [file, path.join(file, 'a/b')]) {
      await expect(makeFolder(wanted, fix)).rejects.toMatchObject({
        code: 'output-nowhere',
        message: 'there is a file where this has a folder.',
        where: file,
        fix,
      });
    }
  });

  test('is refused below a link that leads nowhere', async () => {
    await fs.symlink(path.join(folder, 'gone'), path.join(folder, 'link'));
    await expect(makeFolder(path.join(folder, 'link/a'), fix)).rejects.toMatchObject({
      code: 'output-nowhere',
      where: path.join(folder, 'link/a'),
    });
  });

  test.runIf(existsSync('/proc/self'))('is refused where a folder takes no others', async () => {
    await expect(makeFolder('/proc/repro-none/a', fix)).rejects.toMatchObject({
      code: 'output-nowhere',
      message: 'no folder can be made there.',
      where: '/proc/repro-none/a',
      fix,
    });
  });
});
