import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { syncFiles, syncFolders, syncTree } from '../../src/files/sync-files.ts';

let folder: string;

beforeEach(async () => {
  folder = await fs.mkdtemp(path.join(os.tmpdir(), 'repro-sync-'));
  onTestFinished(() => fs.rm(folder, { recursive: true, force: true }));
});

/** Files of a few bytes. @returns their paths */
async function writeFiles(count: number): Promise<string[]> {
  const files = Array.from({ length: count }, (_, i) => path.join(folder, String(i)));
  for (const file of files) await fs.writeFile(file, 'content');
  return files;
}

/** Stands for the call for a whole file system. @returns what it was called with */
function watchWhole({ fails = false } = {}) {
  const targets: string[] = [];
  const syncWhole = async (target: string): Promise<void> => {
    targets.push(target);
    if (fails) throw new Error('sync: no such option');
  };
  return { targets, syncWhole };
}

test('many files take one call for their file system, few take one each', async () => {
  const files = await writeFiles(200);
  const { targets, syncWhole } = watchWhole();
  await syncFiles(files.slice(1), { syncWhole });
  await syncFolders(Array(49).fill(folder), { syncWhole });
  expect(targets).toEqual([]);
  await syncFiles(files, { syncWhole });
  await syncTree(folder, { syncWhole });
  await syncFolders(Array(50).fill(folder), { syncWhole });
  expect(targets).toEqual([files[0], folder, folder]);
});

// That every file is then visited shows in the one that is not there.
test.each([
  { what: 'fails', syncWhole: watchWhole({ fails: true }).syncWhole },
  { what: 'is not to be had', syncWhole: null },
])('where that call $what, each file is synced', async ({ syncWhole }) => {
  const files = await writeFiles(200);
  await syncFiles(files, { syncWhole });
  await syncTree(folder, { syncWhole });
  await fs.rm(files[150] ?? '');
  await expect(syncFiles(files, { syncWhole })).rejects.toMatchObject({ code: 'ENOENT', path: files[150] });
  await expect(syncFolders(Array(50).fill(`${folder}/none`), { syncWhole })).rejects.toMatchObject({
    code: 'ENOENT',
  });
});

test('by default, each file is there to be blamed for what fails', async () => {
  const files = await writeFiles(200);
  await syncFiles(files);
  await syncTree(folder);
  await expect(syncFiles(files.map((file) => `${file}x`))).rejects.toMatchObject({ code: 'ENOENT' });
});

test('a single file is a tree, too, and a missing one an error', async () => {
  const [file = ''] = await writeFiles(1);
  await syncTree(file);
  await expect(syncTree(`${file}x`)).rejects.toMatchObject({ code: 'ENOENT' });
});
