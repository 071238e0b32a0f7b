import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { writeChosenFile } from '../../src/files/chosen-file.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

let folder: string;
beforeEach(async () => {
  folder = await temporaryFolder();
});

test('a file is written, and replaced', async () => {
  const file = path.join(folder, 'check.xml');
  await writeChosenFile(file, 'one', '--junit');
  await writeChosenFile(file, 'two', '--junit');
  expect(readFileSync(file, 'utf8')).toBe('two');
  expect(readdirSync(folder)).toEqual(['check.xml']);
});

test('a place that cannot hold a file is named, with what to do, and nothing is made', async () => {
  mkdirSync(path.join(folder, 'sub'));
  writeFileSync(path.join(folder, 'file'), '');
  for (const [name, where, message] of [
    ['sub', 'sub', '--junit: expected a file to write, found a folder'],
    ['file/check.xml', 'file', '--junit: expected a folder, found a file'],
    ['file/deep/check.xml', 'file/deep', '--junit: this folder does not exist'],
    ['mistyped/check.xml', 'mistyped', '--junit: this folder does not exist'],
  ] as const) {
    await expect(writeChosenFile(path.join(folder, name), 'x', '--junit'), name).rejects.toMatchObject({
      code: 'output-nowhere',
      message,
      where: path.join(folder, where),
    });
  }
  expect(readdirSync(folder).sort()).toEqual(['file', 'sub']);
  expect(readdirSync(path.join(folder, 'sub'))).toEqual([]);
});
