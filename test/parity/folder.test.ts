import { execFileSync } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { expect, test } from 'vitest';
import { openCaseFolder } from '../../src/parity/folder.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

test.skipIf(process.platform === 'win32')('a pipe is refused instead of waited for', async () => {
  const folder = await temporaryFolder();
  execFileSync('mkfifo', [path.join(folder, 'index.json')]);
  const cases = await openCaseFolder(folder);
  await expect(cases.read('index.json')).rejects.toMatchObject({
    code: 'special-file',
    where: path.join(folder, 'index.json'),
  });
});

test('a folder in place of a file is refused', async () => {
  const folder = await temporaryFolder();
  await mkdir(path.join(folder, 'index.json'));
  const cases = await openCaseFolder(folder);
  await expect(cases.read('index.json')).rejects.toMatchObject({
    code: 'special-file',
    where: path.join(folder, 'index.json'),
  });
});
