import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { expect, onTestFinished, test } from 'vitest';
import { openCaseFolder } from '../../src/parity/folder.ts';

async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'parity-folder-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

test.skipIf(process.platform === 'win32')('a pipe is refused instead of waited for', async () => {
  const folder = await makeFolder();
  execFileSync('mkfifo', [path.join(folder, 'index.json')]);
  const cases = await openCaseFolder(folder);
  await expect(cases.read('index.json')).rejects.toMatchObject({
    code: 'special-file',
    where: path.join(folder, 'index.json'),
  });
});

test('a folder in place of a file is refused', async () => {
  const folder = await makeFolder();
  await mkdir(path.join(folder, 'index.json'));
  const cases = await openCaseFolder(folder);
  await expect(cases.read('index.json')).rejects.toMatchObject({
    code: 'special-file',
    where: path.join(folder, 'index.json'),
  });
});
