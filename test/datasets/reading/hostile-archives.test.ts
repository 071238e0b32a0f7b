import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { crc32, deflateRawSync, gzipSync } from 'node:zlib';
import { Header, Pax } from 'tar';
import { beforeEach, describe, expect, test } from 'vitest';
import { ARCHIVE_LIMITS, type ArchiveLimits } from '../../../src/datasets/reading/archive-limits.ts';
import { type FileTree, readWhole } from '../../../src/datasets/reading/file-tree.ts';
import { TarTree } from '../../../src/datasets/reading/tar-tree.ts';
import { ZipTree } from '../../../src/datasets/reading/zip-tree.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

let folder: string;
beforeEach(async () => {
  folder = await temporaryFolder();
});

async function names(tree: FileTree): Promise<string[]> {
  const found: string[] = [];
  await tree.walk(async (file) => {
    await readWhole(file, 1 << 30);
    found.push(file.path);
  });
  return found;
}

function number(value: number, sizeBytes: 2 | 4 | 8): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes.subarray(0, sizeBytes);
}
const u16 = (value: number) => number(value, 2);
const u32 = (value: number) => number(value, 4);
const u64 = (value: number) => number(value, 8);
const none = u32(0xffffffff);

interface ZipEntry {
  readonly name: string;
  /** Unpacked. */
  readonly bytes: Uint8Array;
  readonly stored?: boolean;
  readonly mode?: number;
  /** Instead of the true one. */
  readonly declaredBytes?: number;
  /** Sizes and offset in a zip64 field, as in archives of more than 4 GB. */
  readonly zip64?: boolean;
}

/** A zip of these entries, however wrong. `zip64`: with a zip64 end, which says how many there are. */
function zip(
  entries: readonly ZipEntry[],
  { zip64, count = entries.length }: { zip64?: boolean; count?: number } = {},
) {
  const locals: Buffer[] = [];
  const directory: Buffer[] = [];
  let position = 0;
  for (const entry of entries) {
    const packed = entry.stored ? Buffer.from(entry.bytes) : deflateRawSync(entry.bytes, { level: 9 });
    const name = Buffer.from(entry.name);
    const size = entry.declaredBytes ?? entry.bytes.length;
    const start = Buffer.concat([
      u16(45),
      u16(0),
      u16(entry.stored ? 0 : 8),
      u32(0),
      u32(crc32(entry.bytes)),
    ]);
    const sizes = entry.zip64 ? [none, none] : [u32(packed.length), u32(size)];
    const local = [Buffer.from('PK\x03\x04'), start, ...sizes, u16(name.length), u16(0), name, packed];
    const field = entry.zip64
      ? Buffer.concat([u16(1), u16(24), u64(size), u64(packed.length), u64(position)])
      : Buffer.alloc(0);
    const central = [Buffer.from('PK\x01\x02'), u16(0x32d), start, ...sizes];
    const lengths = [u16(name.length), u16(field.length), u16(0), u16(0), u16(0)];
    const attributes = u32((entry.mode ?? 0o100644) * 0x10000);
    directory.push(
      Buffer.concat([...central, ...lengths, attributes, entry.zip64 ? none : u32(position), name, field]),
    );
    locals.push(Buffer.concat(local));
    position += locals.at(-1)!.length;
  }
  const middle = Buffer.concat(directory);
  const after = position + middle.length;
  const end64 = [
    Buffer.concat([
      Buffer.from('PK\x06\x06'),
      u64(44),
      u16(45),
      u16(45),
      u32(0),
      u32(0),
      u64(count),
      u64(count),
    ]),
    Buffer.concat([u64(middle.length), u64(position)]),
    Buffer.concat([Buffer.from('PK\x06\x07'), u32(0), u64(after), u32(1)]),
  ];
  const few = zip64 ? 0xffff : count;
  const end = [
    u16(0),
    u16(0),
    u16(few),
    u16(few),
    u32(middle.length),
    u32(zip64 ? 0xffffffff : position),
    u16(0),
  ];
  return Buffer.concat([...locals, middle, ...(zip64 ? end64 : []), Buffer.from('PK\x05\x06'), ...end]);
}

async function openZip(bytes: Uint8Array, limits?: ArchiveLimits): Promise<ZipTree> {
  const file = path.join(folder, 'a.zip');
  await writeFile(file, bytes);
  return new ZipTree(file, 'a.zip', limits);
}

const text = Buffer.from('text');
const unsafe = (message: RegExp | string = /./, where = 'a.zip') => ({
  ...{ code: 'archive-unsafe', where },
  message: typeof message === 'string' ? message : expect.stringMatching(message),
});

describe('a zip', () => {
  test('may have a zip64 directory, as one of more than 65,535 files or 4 GB has', async () => {
    const tree = await openZip(
      zip(
        [
          { name: 'b', bytes: text, zip64: true },
          { name: 'a', bytes: text },
        ],
        { zip64: true },
      ),
    );
    expect(await names(tree)).toEqual(['a', 'b']);
  });

  test('may have names that differ only in case, stored files and empty ones', async () => {
    const entries = [
      { name: 'A', bytes: text, stored: true },
      { name: 'a', bytes: Buffer.alloc(0) },
      { name: 'b', bytes: Buffer.alloc(0), stored: true },
    ];
    expect(await names(await openZip(zip(entries)))).toEqual(['A', 'a', 'b']);
  });

  test('of 70,000 files is read', async () => {
    const entries = Array.from({ length: 70_000 }, (_, i) => ({ name: `${i}`, bytes: text, stored: true }));
    expect(await (await openZip(zip(entries, { zip64: true }))).list()).toHaveLength(70_000);
  });

  test('that says it goes on far beyond what any disk holds is refused', async () => {
    const bytes = zip([{ name: 'a', bytes: text }], { zip64: true });
    bytes.fill(0xff, bytes.lastIndexOf('PK\x06\x07') + 8, bytes.lastIndexOf('PK\x06\x07') + 16);
    await expect((await openZip(bytes)).list()).rejects.toMatchObject({
      code: 'archive-broken',
      where: 'a.zip',
    });
  });

  test('of too many entries is refused before its directory is read', async () => {
    const tree = await openZip(zip([], { zip64: true, count: 1_000_001 }));
    await expect(tree.list()).rejects.toMatchObject(unsafe('more than 1,000,000 entries.'));
  });

  test('with a file that is larger unpacked than any recording is refused', async () => {
    const tree = await openZip(zip([{ name: 'x', bytes: text, zip64: true, declaredBytes: 2 ** 40 }]));
    await expect(tree.list()).rejects.toMatchObject(
      unsafe('a file of 1.1 TB unpacked; at most 64.0 GB are read: "x".'),
    );
  });

  test('with a file that unpacks to over a thousand times its packed size is refused', async () => {
    const bytes = Buffer.alloc(20_000_000);
    const tree = await openZip(zip([{ name: 'x', bytes }]));
    await expect(tree.list()).rejects.toMatchObject(
      unsafe(/^19\.\d kB unpack to 20\.0 MB or more: over 1,000 times as much: "x"\.$/),
    );
    // A smaller one may.
    expect(await names(await openZip(zip([{ name: 'x', bytes: bytes.subarray(0, 1_000_000) }])))).toEqual([
      'x',
    ]);
  });

  test('with many such files, each small, is refused for their sum', async () => {
    const limits = { ...ARCHIVE_LIMITS, mostRatio: 20, ratioFromBytes: 100_000 };
    const entries = Array.from({ length: 4 }, (_, i) => ({ name: `${i}`, bytes: Buffer.alloc(90_000) }));
    const tree = await openZip(zip(entries), limits);
    await expect(tree.list()).rejects.toMatchObject(
      unsafe(/unpack to \d+ kB or more: over 20 times as much\.$/),
    );
  });

  test.each([
    ['more', 3],
    ['less', 5],
  ])(
    'with a file that unpacks to %s than its declared size is refused when it is read',
    async (_, declaredBytes) => {
      const tree = await openZip(zip([{ name: 'x', bytes: text, declaredBytes }]));
      await expect(names(tree)).rejects.toMatchObject({ code: 'data-corrupt', where: 'a.zip: x' });
    },
  );

  test('with a bomb behind a small declared size unpacks no further than that', async () => {
    const tree = await openZip(zip([{ name: 'x', bytes: Buffer.alloc(20_000_000), declaredBytes: 1000 }]));
    let read = 0;
    const reading = tree.walk(async (file) => {
      for await (const chunk of file.open()) read += chunk.length;
    });
    await expect(reading).rejects.toMatchObject({ code: 'data-corrupt' });
    expect(read).toBeLessThanOrEqual(1000);
  });

  test.each(['a\\b', '..\\a', 'a\0b', '/a', 'C:/a', 'a/../../b', '..'])(
    'with the name %j is refused',
    async (name) => {
      await expect((await openZip(zip([{ name, bytes: text }]))).list()).rejects.toMatchObject(unsafe());
    },
  );

  test.each([
    ['a symbolic link', 0o120777],
    ['a device', 0o060644],
    ['a pipe', 0o010644],
    ['a socket', 0o140644],
  ])('with %s is refused', async (_, mode) => {
    const tree = await openZip(zip([{ name: 'x', bytes: text, mode }]));
    await expect(tree.list()).rejects.toMatchObject(unsafe('an entry that is not a plain file: "x".'));
  });
});

const otherKinds = ['SymbolicLink', 'Link', 'CharacterDevice', 'BlockDevice', 'FIFO', 'SparseFile'] as const;

interface TarEntry {
  readonly path: string;
  readonly type?: 'File' | (typeof otherKinds)[number];
  readonly size?: number;
}

function tarBlock({ path: name, type = 'File', size = 0 }: TarEntry): Buffer {
  const header = Buffer.alloc(512);
  const linkpath = type.endsWith('Link') ? { linkpath: 'y' } : {};
  new Header({ path: name, type, size, mode: 0o644, ...linkpath }).encode(header, 0);
  return header;
}

async function openTar(blocks: readonly Uint8Array[], limits?: ArchiveLimits): Promise<TarTree> {
  const file = path.join(folder, 'a.tar.gz');
  await writeFile(file, gzipSync(Buffer.concat([...blocks, Buffer.alloc(1024)]), { level: 9 }));
  return new TarTree(file, 'a.tar.gz', limits);
}

describe('a tar.gz', () => {
  test.each(['a\\b', '..\\a', '/a', 'C:/a', 'C:a', 'a/../../b', './../a'])(
    'with the name %j is refused',
    async (name) => {
      const tree = await openTar([tarBlock({ path: name })]);
      await expect(names(tree)).rejects.toMatchObject(unsafe(/./, 'a.tar.gz'));
    },
  );

  test('with a NUL in a long name has the name before it, as it would have for tar', async () => {
    const long = new Pax({ path: 'a\0/../b' }).encode();
    expect(await names(await openTar([long, tarBlock({ path: 'x' })]))).toEqual(['a']);
  });

  test.each(otherKinds)('with an entry of kind %s is refused, wherever it is', async (type) => {
    const tree = await openTar([
      tarBlock({ path: 'a' }),
      tarBlock({ path: 'x', type }),
      tarBlock({ path: 'b' }),
    ]);
    await expect(names(tree)).rejects.toMatchObject(
      unsafe(`an entry that is not a plain file (${type}): "x".`, 'a.tar.gz'),
    );
  });

  test('may have names that differ only in case, and ./ as its first entry', async () => {
    const root = Buffer.alloc(512);
    new Header({ path: './', type: 'Directory', size: 0, mode: 0o755 }).encode(root, 0);
    const tree = await openTar([root, tarBlock({ path: './A' }), tarBlock({ path: './a' })]);
    expect(await names(tree)).toEqual(['A', 'a']);
  });

  test('that unpacks to over a thousand times its size is refused as soon as that is clear, even in a skipped file', async () => {
    const size = 48_000_000;
    const tree = await openTar([
      tarBlock({ path: '.hidden', size }),
      Buffer.alloc(Math.ceil(size / 512) * 512),
    ]);
    await expect(names(tree)).rejects.toMatchObject(
      unsafe(/^[\d.]+ kB unpack to [\d.]+ MB or more: over 1,000 times as much\.$/, 'a.tar.gz'),
    );
  });

  test('with a file that is larger than any recording is refused', async () => {
    const tree = await openTar([tarBlock({ path: 'x', size: 2 ** 40 })]);
    await expect(names(tree)).rejects.toMatchObject(
      unsafe('a file of 1.1 TB unpacked; at most 64.0 GB are read: "x".', 'a.tar.gz'),
    );
  });

  test('of too many entries is refused', async () => {
    const blocks = ['a', '.b', 'c', 'd'].map((name) => tarBlock({ path: name }));
    const most = (mostEntries: number) => openTar(blocks, { ...ARCHIVE_LIMITS, mostEntries });
    expect(await names(await most(4))).toEqual(['a', 'c', 'd']);
    await expect(names(await most(3))).rejects.toMatchObject(unsafe('more than 3 entries.', 'a.tar.gz'));
  });
});
