import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { writeOutput } from '../../../src/base/files/chosen-file.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

let folder: string;
beforeEach(async () => {
  folder = await temporaryFolder();
});

test('a file is written, and replaced', async () => {
  const file = path.join(folder, 'check.xml');
  await writeOutput(file, 'one', true);
  await writeOutput(file, 'two', true);
  expect(readFileSync(file, 'utf8')).toBe('two');
  expect(readdirSync(folder)).toEqual(['check.xml']);
});

test('a place that cannot hold a file is named, with what to do, and nothing is made', async () => {
  mkdirSync(path.join(folder, 'sub'));
  writeFileSync(path.join(folder, 'file'), '');
  for (const [name, where, message] of [
    ['sub', 'sub', '--out: expected a file to write, found a folder'],
    ['file/check.xml', 'file', '--out: expected a folder, found a file'],
    ['file/deep/check.xml', 'file/deep', '--out: this folder does not exist'],
    ['mistyped/check.xml', 'mistyped', '--out: this folder does not exist'],
  ] as const) {
    await expect(writeOutput(path.join(folder, name), 'x', true), name).rejects.toMatchObject({
      code: 'output-nowhere',
      message,
      where: path.join(folder, where),
    });
  }
  expect(readdirSync(folder).sort()).toEqual(['file', 'sub']);
  expect(readdirSync(path.join(folder, 'sub'))).toEqual([]);
});
