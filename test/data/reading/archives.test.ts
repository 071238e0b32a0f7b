import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { create, Header } from 'tar';
import { beforeEach, describe, expect, test } from 'vitest';
import { ZipFile } from 'yazl';
import { type FileTree, FolderTree, readWhole } from '../../../src/data/reading/file-tree.ts';
import { TarTree } from '../../../src/data/reading/tar-tree.ts';
import { ZipTree } from '../../../src/data/reading/zip-tree.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { FAR, locateFar, makeZip } from '../../support/zip-fixture.ts';

let folder: string;
beforeEach(async () => {
  folder = await temporaryFolder();
});

async function contents(tree: FileTree, signal?: AbortSignal): Promise<[string, string][]> {
  const found: [string, string][] = [];
  await tree.walk(async (file) => {
    found.push([file.path, Buffer.from(await readWhole(file, 1 << 20)).toString()]);
  }, signal);
  return found;
}

test('a file that is larger than its kind can be is refused before any of it is read', async () => {
  const open = () => {
    throw new Error('it was opened');
  };
  await expect(readWhole({ path: 'a', sizeBytes: 11, open }, 10)).rejects.toMatchObject({
    ...{
      code: 'data-corrupt',
      where: 'a',
      message: 'it has 11 bytes, but a file of this kind has at most 10.',
    },
  });
});

test('memory that nothing reads any more is used again for a file that fits', async () => {
  const texts = ['longest', 'mid', 'longer', 'longer than all'];
  for (const [i, text] of texts.entries()) await writeFile(path.join(folder, String(i)), text);
  let bytes: Uint8Array | undefined;
  const found: string[] = [];
  const buffers = new Set<ArrayBufferLike>();
  await new FolderTree(folder, 1).walk(async (file) => {
    bytes = await readWhole(file, 100, bytes);
    found.push(new TextDecoder().decode(bytes));
    buffers.add(bytes.buffer);
  });
  expect(found).toEqual(texts);
  expect(buffers.size).toBe(2);
});

describe('the files of a folder', () => {
  test('are sorted by code unit, without hidden ones, down to the given depth', async () => {
    await mkdir(path.join(folder, 'd', 'deep'), { recursive: true });
    await mkdir(path.join(folder, 'd-e'));
    // By code unit, `-` comes before `/`: a listing folder by folder would have d/x first.
    for (const name of ['b', 'B', 'a10', 'a9', '.hidden', 'd/x', 'd-e/x', 'd/deep/y'])
      await writeFile(path.join(folder, name), name);
    expect((await contents(new FolderTree(folder, 2))).map(([name]) => name)).toEqual([
      'B',
      'a10',
      'a9',
      'b',
      'd-e/x',
      'd/x',
    ]);
  });
});

describe('the files of a tar.gz', () => {
  test('are read in archive order; those not opened are skipped', async () => {
    await mkdir(path.join(folder, 'data'));
    const large = 'x'.repeat(3_000_000);
    await writeFile(path.join(folder, 'data', 'b'), large);
    await writeFile(path.join(folder, 'data', 'a'), 'A');
    await create({ gzip: true, cwd: folder, file: path.join(folder, 'a.tar.gz') }, ['data/b', './data/a']);
    const tree = new TarTree(path.join(folder, 'a.tar.gz'), 'a.tar.gz');
    const sizes: [string, number][] = [];
    await tree.walk(async (file) => {
      sizes.push([file.path, file.sizeBytes]);
    });
    expect(sizes).toEqual([
      ['data/b', 3_000_000],
      ['data/a', 1],
    ]);
    let first = '';
    await tree.walk(async (file) => {
      if (file.path === 'data/a') first = Buffer.from(await readWhole(file, 10)).toString();
    });
    expect(first).toBe('A');
  });

  test('are plain files: links and devices are left out, and a leading ./ too', async () => {
    const block = (name: string, type: 'File' | 'Directory' | 'SymbolicLink' | 'FIFO') => {
      const header = Buffer.alloc(512);
      const linkpath = type === 'SymbolicLink' ? { linkpath: 'y' } : {};
      new Header({ path: name, type, size: 0, mode: 0o644, ...linkpath }).encode(header, 0);
      return header;
    };
    const blocks = [
      block('./', 'Directory'),
      block('x', 'SymbolicLink'),
      block('y', 'FIFO'),
      block('./A', 'File'),
    ];
    const file = path.join(folder, 'a.tar.gz');
    await writeFile(file, gzipSync(Buffer.concat([...blocks, Buffer.alloc(1024)])));
    expect(await contents(new TarTree(file, 'a.tar.gz'))).toEqual([['A', '']]);
  });

  test('an error in the visitor ends the walk', async () => {
    await writeFile(path.join(folder, 'b'), 'x'.repeat(1_000_000));
    await create({ gzip: true, cwd: folder, file: path.join(folder, 'a.tar.gz') }, ['b']);
    const tree = new TarTree(path.join(folder, 'a.tar.gz'), 'a.tar.gz');
    const visit = async () => {
      throw new Error('enough');
    };
    await expect(tree.walk(visit)).rejects.toThrow('enough');
    await expect(contents(tree, AbortSignal.abort(new Error('stopped')))).rejects.toThrow('stopped');
  });

  test.each([
    ['cut in its compressed bytes', (bytes: Buffer) => gzipSync(bytes).subarray(0, -20), 'archive-cut'],
    ['cut before it was compressed', (bytes: Buffer) => gzipSync(bytes.subarray(0, 700)), 'archive-cut'],
    ['with damaged bytes', (bytes: Buffer) => gzipSync(bytes).fill(0xee, 20, 40), 'archive-broken'],
    ['that are no archive', () => Buffer.from('hello'), 'archive-broken'],
  ])('%s are rejected', async (_, damage, code) => {
    const header = Buffer.alloc(512);
    new Header({ path: 'x', type: 'File', size: 5000, mode: 0o644 }).encode(header, 0);
    const tarBytes = Buffer.concat([header, Buffer.alloc(5120, 'data'), Buffer.alloc(1024)]);
    const file = path.join(folder, 'a.tar.gz');
    await writeFile(file, damage(tarBytes));
    await expect(contents(new TarTree(file, 'a.tar.gz'))).rejects.toMatchObject({ code });
  });

  test('are read in little memory and time, whatever follows the end of the tar', async () => {
    const header = Buffer.alloc(512);
    new Header({ path: 'x', type: 'File', size: 4, mode: 0o644 }).encode(header, 0);
    const file = path.join(folder, 'a.tar.gz');
    await writeFile(
      file,
      gzipSync(Buffer.concat([header, Buffer.from('data'.padEnd(512, '\0')), Buffer.alloc(2 ** 27)])),
    );
    await expect(contents(new TarTree(file, 'a.tar.gz'))).resolves.toEqual([['x', 'data']]);
  });
});

describe('the files of a zip', () => {
  const members = [
    { name: 'Train/b', bytes: Buffer.from('B'.repeat(1000)) },
    { name: 'Train/', bytes: Buffer.alloc(0) },
    { name: '__MACOSX/._b', bytes: Buffer.from('hidden') },
    { name: 'Train/a', bytes: Buffer.from('A') },
  ];
  const write = async (bytes: Uint8Array): Promise<ZipTree> => {
    const file = path.join(folder, 'a.zip');
    await writeFile(file, bytes);
    return new ZipTree(file, 'a.zip');
  };

  test('are sorted by name, without folders and hidden ones', async () => {
    const tree = await write(makeZip(members));
    expect(await tree.list()).toEqual(['Train/a', 'Train/b']);
    expect(await contents(tree)).toEqual([
      ['Train/a', 'A'],
      ['Train/b', 'B'.repeat(1000)],
    ]);
  });

  // As archives of more than 65,535 files or 4 GB have.
  const makeZip64 = async (): Promise<Buffer> => {
    const zip = new ZipFile();
    for (const name of ['b', 'a']) zip.addBuffer(Buffer.from(name), name, { forceZip64Format: true });
    zip.end({ forceZip64Format: true, comment: '' });
    return buffer(zip.outputStream);
  };

  test('may have a zip64 directory', async () => {
    const tree = await write(await makeZip64());
    expect(await contents(tree)).toEqual([
      ['a', 'a'],
      ['b', 'b'],
    ]);
  });

  test('are rejected if their zip64 directory is said to be beyond the largest number', async () => {
    const far = await makeZip64();
    far.writeBigUInt64LE(FAR, far.indexOf('PK\x06\x06') + 48);
    for (const bytes of [locateFar(makeZip(members)), far]) {
      const tree = await write(bytes);
      await expect(contents(tree)).rejects.toMatchObject({ code: 'archive-broken', where: 'a.zip' });
    }
  });

  test('can be read, except for one that is said to be beyond the largest number', async () => {
    const bytes = await makeZip64();
    // After the name `a`, its time, the header of its zip64 field and two sizes: where the file is.
    bytes.writeBigUInt64LE(FAR, bytes.lastIndexOf('PK\x01\x02') + 46 + 1 + 9 + 4 + 16);
    const tree = await write(bytes);
    const found: unknown[] = [];
    await tree.walk(async (file) => {
      found.push(await readWhole(file, 10).catch((error) => error));
    });
    expect(found).toMatchObject([
      { code: 'data-corrupt', where: 'a.zip: a' },
      new Uint8Array(Buffer.from('b')),
    ]);
  });

  test('are rejected if the archive is cut off', async () => {
    const tree = await write(makeZip(members).subarray(0, 60));
    await expect(contents(tree)).rejects.toMatchObject({ code: 'archive-broken', where: 'a.zip' });
  });

  test('are rejected if a checksum does not match', async () => {
    const bytes = makeZip([members[0]!]);
    bytes.writeUInt32LE(1, bytes.indexOf('PK\x01\x02') + 16);
    await expect(contents(await write(bytes))).rejects.toMatchObject({
      code: 'data-corrupt',
      where: 'a.zip: Train/b',
    });
  });
});
