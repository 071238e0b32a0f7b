import fs from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { hashText } from '../../../src/base/files/canonical-json.ts';
import { digestPath, digestTree } from '../../../src/runner/store/digest.ts';
import { DigestCache } from '../../../src/runner/store/digest-cache.ts';
import { hashFiles } from '../../../src/runner/store/hash-files.ts';
import { scanTree } from '../../../src/runner/store/tree.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

let folder: string;
const sha = 'a'.repeat(64);

beforeEach(async () => {
  folder = await temporaryFolder();
});

const at = (name: string): string => path.join(folder, name);

function openCache(): DigestCache {
  return new DigestCache(at('digests.json'), folder);
}

/** 2024-01-01 and a fraction, as on a file system with fine timestamps. */
const mtimeMs = 1_704_067_200_000;
const stamp = { size: 3, mtimeNs: `${mtimeMs}123456`, ctimeNs: `${mtimeMs}123456`, ino: '7' };

describe('the digest cache', () => {
  test('knows a file by size, times and inode', async () => {
    const cache = openCache();
    cache.remember(at('f'), stamp, sha, mtimeMs + 1000);
    await cache.save();
    const again = openCache();
    expect(again.find(at('f'), stamp)).toBe(sha);
    for (const change of [{ size: 4 }, { mtimeNs: '1' }, { ctimeNs: '1' }, { ino: '8' }]) {
      expect(again.find(at('f'), { ...stamp, ...change })).toBeUndefined();
    }
  });

  test('forgets a file that was written just before it was hashed: it could change and keep its time', () => {
    const cache = openCache();
    for (const [at, known] of [
      [mtimeMs + 1, undefined],
      [mtimeMs + 10, undefined],
      [mtimeMs - 5000, undefined],
      [mtimeMs + 100, sha],
    ] as const) {
      cache.remember('/f', stamp, sha, at);
      expect(cache.find('/f', stamp)).toBe(known);
    }
  });

  test('is more careful if a file system counts in whole milliseconds or seconds', () => {
    const cache = openCache();
    const coarse = { ...stamp, mtimeNs: `${mtimeMs}000000`, ctimeNs: `${mtimeMs}000000` };
    cache.remember('/f', coarse, sha, mtimeMs + 2000);
    expect(cache.find('/f', coarse)).toBeUndefined();
    cache.remember('/f', coarse, sha, mtimeMs + 2200);
    expect(cache.find('/f', coarse)).toBe(sha);
  });

  test('moves with its project', async () => {
    const cache = openCache();
    cache.remember(at('sub/f'), stamp, sha, mtimeMs + 1000);
    cache.remember('/elsewhere/f', stamp, sha, mtimeMs + 1000);
    await cache.save();
    const moved = new DigestCache(at('digests.json'), '/new/home');
    expect(moved.find('/new/home/sub/f', stamp)).toBe(sha);
    expect(moved.find('/elsewhere/f', stamp)).toBe(sha);
  });
});

describe('the digest of a path', () => {
  test('is the sha256 of a file', async () => {
    await fs.writeFile(at('f'), 'abc');
    expect(await digestPath(at('f'), openCache())).toMatchObject({
      kind: 'file',
      // FIPS 180-2, appendix B.1
      digest: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
      sizeBytes: 3,
    });
    expect(await digestPath(at('no'), openCache())).toEqual({ kind: 'missing' });
  });

  test('of a folder covers paths, sizes and content, in the order of code units', async () => {
    const root = at('d');
    await fs.mkdir(path.join(root, 'sub', 'empty'), { recursive: true });
    // U+FF5E is after the surrogates of U+1F393 by code point, and after them by code unit, too; U+FFFD likewise.
    for (const name of ['b', 'a', 'Z', 'sub/x', '\u{1F393}', '\uFF5E'])
      await fs.writeFile(path.join(root, name), name);
    const digest = await digestPath(root, openCache());
    if (digest.kind !== 'folder') throw new Error('a folder is expected');
    expect(digest.tree.entries.map((entry) => entry.path)).toEqual([
      'Z',
      'a',
      'b',
      'sub/x',
      '\u{1F393}',
      '\uFF5E',
    ]);
    expect(digest.tree.emptyFolders).toEqual(['sub/empty']);
    expect(digest).toMatchObject({
      files: 6,
      sizeBytes: 1 + 1 + 1 + 5 + 4 + 3,
      digest: digestTree(digest.tree),
    });

    await fs.rename(path.join(root, 'a'), path.join(root, 'c'));
    expect(await digestPath(root, openCache())).not.toMatchObject({ digest: digest.digest });
    await fs.rename(path.join(root, 'c'), path.join(root, 'a'));
    expect(await digestPath(root, openCache())).toMatchObject({ digest: digest.digest });
    await fs.rmdir(path.join(root, 'sub', 'empty'));
    expect(await digestPath(root, openCache())).not.toMatchObject({ digest: digest.digest });
  });

  test('is the same whether threads compute it or not', async () => {
    const root = at('d');
    await fs.mkdir(root);
    const contents = [
      Buffer.alloc(9_000_000, 1),
      Buffer.alloc(0),
      Buffer.alloc(9_000_001, 2),
      // Just below and at the size that is read at once, and more of them than are hashed at once.
      ...[-1, 0, 1].map((more) => Buffer.alloc(2 ** 22 + more, 3)),
      ...Array.from({ length: 9 }, (_, i) => Buffer.alloc(70_000, 4 + i)),
      Buffer.from('small'),
    ];
    for (const [i, content] of contents.entries())
      await fs.writeFile(path.join(root, String(i).padStart(2, '0')), content);
    const { files } = await scanTree(root);
    expect(await hashFiles(files)).toEqual(contents.map((content) => hashText(content)));
    for (const [i, file] of files.entries())
      expect(await hashFiles([file])).toEqual([hashText(contents[i] ?? '')]);
  });

  test('rejects a file that changes while being read, with and without threads', async () => {
    const file = at('f');
    for (const size of [10, 17_000_000]) {
      await fs.writeFile(file, Buffer.alloc(size));
      const { files } = await scanTree(file);
      await fs.appendFile(file, 'more');
      await expect(hashFiles(files)).rejects.toMatchObject({ code: 'file-changed', where: file });
    }
  });

  test('reports what a thread could not read, with the error of the system as its cause', async () => {
    const gone = { absolute: at('gone'), stamp: { ...stamp, size: 20_000_000 } };
    await expect(hashFiles([gone])).rejects.toMatchObject({
      code: 'file-changed',
      cause: { code: 'ENOENT' },
    });
  });
});
