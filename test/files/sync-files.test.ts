import { execFileSync } from 'node:child_process';
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import {
  findSyncWhole,
  runSync,
  type SyncMachine,
  syncFiles,
  syncFolders,
  syncTree,
} from '../../src/files/sync-files.ts';

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

const ext4 = 0xef53;

/** Debian, with this instead of what it has. */
function machineWith(other: Partial<SyncMachine> = {}): SyncMachine {
  return {
    platform: 'linux',
    release: '5.17.0-1-amd64',
    typeOf: async () => ext4,
    versionOf: async () => 'sync (GNU coreutils) 9.1\n',
    ...other,
  };
}

test.each<[string, Partial<SyncMachine>]>([
  ['another system', { platform: 'darwin' }],
  ['an older kernel', { release: '5.16.20' }],
  ['a kernel of another major version', { release: '4.18.0-553.el8' }],
  ['FUSE', { typeOf: async () => 0x65735546 }],
  ['9p', { typeOf: async () => 0x01021997 }],
  ['NFS', { typeOf: async () => 0x6969 }],
  ['a file system that does not say what it is', { typeOf: () => Promise.reject(new Error('ENOSYS')) }],
  ['the `sync` of busybox', { versionOf: async () => 'BusyBox v1.36.1 multi-call binary.\n' }],
  ['no `sync`', { versionOf: () => Promise.reject(new Error('ENOENT')) }],
])('one call for a whole file system is not relied on with %s', async (_, other) => {
  expect(await findSyncWhole('/x', machineWith(other))).toBeNull();
});

test.each(['5.17.0', '5.20.1', '6.1.0-18-amd64', '10.0.0'])('it is with Linux %s', async (release) => {
  expect(await findSyncWhole('/x', machineWith({ release }))).not.toBeNull();
});

test('it is that of coreutils, not whatever is on the PATH', async () => {
  const asked: string[] = [];
  const versionOf = async (program: string): Promise<string> => {
    asked.push(program);
    return 'toybox 0.8.9';
  };
  expect(await findSyncWhole('/x', machineWith({ versionOf }))).toBeNull();
  expect(asked).toEqual(['/usr/bin/sync', '/bin/sync']);
});

const hasCoreutils = ((): boolean => {
  try {
    return execFileSync('/usr/bin/sync', ['--version'], { encoding: 'utf8' }).includes('coreutils');
  } catch {
    return false;
  }
})();

test.skipIf(process.platform !== 'linux' || !hasCoreutils)(
  'the call itself succeeds for a file and fails for one that is not there',
  async () => {
    const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'repro-sync-'));
    onTestFinished(() => fs.rm(folder, { recursive: true, force: true }));
    await fs.writeFile(path.join(folder, 'file'), 'content');
    await runSync('/usr/bin/sync', path.join(folder, 'file'));
    await expect(runSync('/usr/bin/sync', path.join(folder, 'none'))).rejects.toMatchObject({ code: 1 });
  },
);
