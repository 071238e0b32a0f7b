import { existsSync } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { writeFileAtomic, writeSynced } from '../../../src/base/files/atomic-file.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

let folder: string;

beforeEach(async () => {
  folder = await temporaryFolder();
});

test('a file is made with its folder, and replaced, leaving nothing beside it', async () => {
  const file = path.join(folder, 'a/b.json');
  await writeFileAtomic(file, 'old');
  await writeFileAtomic(file, Uint8Array.of(0x6e, 0x65, 0x77));
  expect(await fs.readFile(file, 'utf8')).toBe('new');
  expect(await fs.readdir(path.dirname(file))).toEqual(['b.json']);
});

test('the next attempt removes what a killed sole writer left behind', async () => {
  const file = path.join(folder, 'state');
  await fs.writeFile(`${file}.partial`, 'a longer content that was cut');
  await writeFileAtomic(file, 'whole', { soleWriter: true });
  expect(await fs.readFile(file, 'utf8')).toBe('whole');
  expect(await fs.readdir(folder)).toEqual(['state']);
});

test('a file that cannot be replaced keeps its content, with nothing left beside it', async () => {
  const taken = path.join(folder, 'taken');
  await fs.mkdir(taken);
  await fs.writeFile(path.join(taken, 'inside'), '');
  for (const soleWriter of [true, false]) {
    await expect(writeFileAtomic(taken, 'text', { soleWriter })).rejects.toThrow(
      /EISDIR|ENOTEMPTY|EEXIST|EPERM/,
    );
  }
  expect(await fs.readdir(folder)).toEqual(['taken']);
  expect(await fs.readdir(taken)).toEqual(['inside']);
});

test.skipIf(!existsSync('/dev/full'))(
  'a full disk is blamed on the file that was to be written',
  async () => {
    await expect(writeSynced('/dev/full', 'text')).rejects.toMatchObject({
      code: 'ENOSPC',
      path: '/dev/full',
    });
  },
);

test.skipIf(!existsSync('/proc/self'))(
  'a refusal names the file that was asked for, not its partial',
  async () => {
    await expect(writeFileAtomic('/proc/self/x', 'text')).rejects.toMatchObject({ path: '/proc/self/x' });
  },
);

test('an error names the file that was asked for', async () => {
  const file = path.join(folder, 'a');
  await fs.mkdir(file);
  await expect(writeFileAtomic(file, '')).rejects.toMatchObject({ path: file });
});
