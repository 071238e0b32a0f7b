import { mkdir, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { FolderTree, type TreeFile } from '../../../src/datasets/reading/file-tree.ts';
import { type FirstReader, WorkingSpace } from '../../../src/datasets/reading/working-space.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

let root: string;
beforeEach(async () => {
  root = await temporaryFolder();
  await mkdir(path.join(root, 'data'));
});

const content = Buffer.from(Uint8Array.from({ length: 1_300_000 }, (_, i) => (i * 7) % 251));

async function onDisk(): Promise<TreeFile> {
  await writeFile(path.join(root, 'data', 'file'), content);
  const files: TreeFile[] = [];
  await new FolderTree(path.join(root, 'data'), 1).walk(async (file) => {
    files.push(file);
  });
  return files[0]!;
}

const packed: TreeFile = {
  path: 'file',
  sizeBytes: content.length,
  async *open() {
    for (let at = 0; at < content.length; at += 90_001) yield content.subarray(at, at + 90_001);
  },
};

/** Puts together what it is given. */
function collector(phase: number): FirstReader & { bytes(): Buffer } {
  const chunks: Buffer[] = [];
  let known = 0;
  return {
    push: (chunk) => void chunks.push(Buffer.from(chunk)),
    read: (memory, length) => {
      expect(memory.byteOffset % 8).toBe(phase);
      chunks.push(Buffer.from(memory.subarray(known, length)));
      known = length;
    },
    phaseOf: (start) => {
      expect(Buffer.from(start)).toEqual(content.subarray(0, 16_384));
      return phase;
    },
    bytes: () => Buffer.concat(chunks),
  };
}

test.each([
  ['in a folder, in memory', onDisk, 2_000_000],
  ['in a folder, read again from there', onDisk, 1_000_000],
  ['in an archive, in memory', async () => packed, 2_000_000],
  ['in an archive, in a temporary file', async () => packed, 1_000_000],
])('a file %s can be read twice', async (_, find, memoryBytes) => {
  const reader = collector(3);
  const kept = await new WorkingSpace(memoryBytes, root).keep(await find(), reader, undefined);
  expect(reader.bytes().equals(content)).toBe(true);
  for (const [from, to] of [
    [0, content.length],
    [5, 1_200_001],
    [700, 700],
  ] as const) {
    const again = kept.again(from, to);
    const bytes =
      again instanceof Uint8Array ? again : Buffer.concat(Array.from(again, (piece) => Buffer.from(piece)));
    expect(Buffer.from(bytes).equals(content.subarray(from, to))).toBe(true);
  }
  await kept.close();
  expect(await readdir(root)).toEqual(['data']);
});

test('a temporary file is removed if reading fails', async () => {
  const reader: FirstReader = {
    push: () => {
      throw new Error('broken');
    },
    read: () => {},
    phaseOf: () => 0,
  };
  await expect(new WorkingSpace(1, root).keep(packed, reader, undefined)).rejects.toThrow('broken');
  expect(await readdir(root)).toEqual(['data']);
});

test('reading a large file stops when the signal is aborted', async () => {
  const signal = AbortSignal.abort(new Error('stopped'));
  await expect(new WorkingSpace(1, root).keep(await onDisk(), collector(0), signal)).rejects.toThrow(
    'stopped',
  );
});
