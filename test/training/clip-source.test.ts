import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { encodeNpy } from '../../src/formats/npy.ts';
import { clipsOfArray, readAhead } from '../../src/training/clip-source.ts';
import { openClipSource } from '../../src/training/open-frames.ts';
import { sharedTemporaryFolder } from '../support/temporary-folder.ts';

const folder = sharedTemporaryFolder();

const data = Uint16Array.from({ length: 5 * 2 * 2 * 1 * 3 }, (_, i) => i);

async function writeFrames(shape: number[]): Promise<string> {
  const path = join(folder, 'train.npy');
  await writeFile(path, encodeNpy({ dtype: 'uint16', shape, data }));
  return path;
}

describe('openClipSource', () => {
  it('gives the asked clips in their order', async () => {
    const source = await openClipSource(await writeFrames([5, 2, 2, 1, 3]));
    const frames = await source.read(Int32Array.of(4, 0, 4));
    await source.close();
    expect([source.clips, source.shape]).toEqual([5, [2, 2, 1, 3]]);
    expect(frames.shape).toEqual([3, 2, 2, 1, 3]);
    expect(frames.data).toEqual(
      Uint16Array.of(...data.subarray(48), ...data.subarray(0, 12), ...data.subarray(48)),
    );
  });

  it('rejects an array with other dimensions', async () => {
    const path = await writeFrames([5, 4, 3]);
    await expect(openClipSource(path)).rejects.toMatchObject({ code: 'frames-invalid', where: path });
  });
});

describe('clipsOfArray', () => {
  const source = clipsOfArray([2, 2, 1, 3], 'uint16', data);

  it('gives the asked clips in their order', async () => {
    const frames = await source.read(Int32Array.of(4, 0, 1, 1, 4, 3));
    expect([source.clips, frames.shape]).toEqual([5, [6, 2, 2, 1, 3]]);
    expect([...frames.data].filter((_, i) => i % 12 === 0)).toEqual([48, 0, 12, 12, 48, 36]);
  });

  it.each([-1, 5])('has no row %i among five', async (row) => {
    await expect(source.read(Int32Array.of(0, row))).rejects.toThrow(`no row ${row} among 5`);
  });
});

test('begins to read the next value before the one at hand is used, and no further', async () => {
  const log: string[] = [];
  const read = async (index: number) => {
    log.push(`read ${index}`);
    return index;
  };
  for await (const value of readAhead(3, 6, read)) log.push(`use ${value}`);
  expect(log).toEqual(['read 3', 'read 4', 'use 3', 'read 5', 'use 4', 'use 5']);
});

test('reports a failure when its value is due, not before, and drops one that nobody waits for', async () => {
  const used: number[] = [];
  const read = async (index: number) => {
    if (index === 1) throw new Error('the disk is gone');
    return index;
  };
  await expect(async () => {
    for await (const value of readAhead(0, 3, read)) {
      await new Promise((resolve) => setImmediate(resolve));
      used.push(value);
    }
  }).rejects.toThrow('the disk is gone');
  expect(used).toEqual([0]);
  for await (const _ of readAhead(0, 3, read)) break;
  await new Promise((resolve) => setImmediate(resolve));
});
