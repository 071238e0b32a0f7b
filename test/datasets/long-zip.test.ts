import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test, vi } from 'vitest';
import { ZipTree } from '../../src/datasets/zip-tree.ts';

// From a file, yauzl waits for the thread pool twice for each entry, ten seconds in all; from memory it does not.
vi.mock('yauzl', async (importOriginal) => {
  const yauzl = await importOriginal<typeof import('yauzl')>();
  return {
    ...yauzl,
    openPromise: (file: string, options: import('yauzl').Options) =>
      yauzl.fromBufferPromise(readFileSync(file), options),
  };
});

/** A zip64 archive of so many empty files, `000000` and so on. */
function zipOfEmptyFiles(count: number): Buffer {
  const local = Buffer.alloc(36);
  local.write('PK\x03\x04', 'latin1');
  local.writeUInt16LE(6, 26);
  const listed = Buffer.alloc(52);
  listed.write('PK\x01\x02', 'latin1');
  listed.writeUInt16LE(6, 28);
  const directoryStart = count * local.length;
  const directoryBytes = count * listed.length;
  const bytes = Buffer.alloc(directoryStart + directoryBytes + 98);
  for (let i = 0; i < count; i++) {
    const name = String(i).padStart(6, '0');
    local.write(name, 30);
    local.copy(bytes, i * local.length);
    listed.writeUInt32LE(i * local.length, 42);
    listed.write(name, 46);
    listed.copy(bytes, directoryStart + i * listed.length);
  }
  const end = bytes.subarray(directoryStart + directoryBytes);
  end.write('PK\x06\x06', 'latin1');
  end.writeBigUInt64LE(44n, 4);
  end.writeBigUInt64LE(BigInt(count), 24);
  end.writeBigUInt64LE(BigInt(count), 32);
  end.writeBigUInt64LE(BigInt(directoryBytes), 40);
  end.writeBigUInt64LE(BigInt(directoryStart), 48);
  end.write('PK\x06\x07', 56, 'latin1');
  end.writeBigUInt64LE(BigInt(directoryStart + directoryBytes), 64);
  end.writeUInt32LE(1, 72);
  end.write('PK\x05\x06', 76, 'latin1');
  end.fill(0xff, 84, 96);
  return bytes;
}

test('a zip of more names than a call has arguments is listed', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'long-zip-'));
  try {
    const archive = path.join(folder, 'a.zip');
    await writeFile(archive, zipOfEmptyFiles(200_000));
    const names = await new ZipTree(archive, 'a.zip').list();
    expect(names).toHaveLength(200_000);
    expect([names[0], names[1], names.at(-1)]).toEqual(['000000', '000001', '199999']);
  } finally {
    await rm(folder, { recursive: true });
  }
});
