import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { writeFilesAtomic } from '../../src/files/atomic-files.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'atomic-files-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

it('several files are written together, with their folders', async () => {
  const [a, b] = [join(folder, 'a.txt'), join(folder, 'deep/er/b.txt')];
  await writeFile(a, 'old');
  await writeFilesAtomic([
    { file: a, content: 'new' },
    { file: b, content: new Uint8Array([104, 105]) },
  ]);
  expect([await readFile(a, 'utf8'), await readFile(b, 'utf8')]).toEqual(['new', 'hi']);
  expect(await readdir(folder)).toEqual(['a.txt', 'deep']);
});

it('nothing changes if one of them cannot be written, and nothing is left behind', async () => {
  const a = join(folder, 'a.txt');
  await writeFile(a, 'old');
  await writeFile(join(folder, 'file'), '');
  const files = [
    { file: a, content: 'new' },
    { file: join(folder, 'file/b.txt'), content: 'new' },
  ];
  await expect(writeFilesAtomic(files)).rejects.toMatchObject({
    code: 'output-nowhere',
  });
  expect(await readFile(a, 'utf8')).toBe('old');
  expect((await readdir(folder)).sort()).toEqual(['a.txt', 'file']);
});

it('an error names the file that was asked for', async () => {
  const file = join(folder, 'a');
  await mkdir(file);
  await expect(writeFilesAtomic([{ file, content: '' }])).rejects.toMatchObject({ path: file });
});
