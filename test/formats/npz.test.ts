import { describe, expect, test } from 'vitest';
import { fromBufferPromise } from 'yauzl';
import { decodeNpy, type NpyArray } from '../../src/formats/npy.ts';
import { encodeNpz } from '../../src/formats/npy-file.ts';
import type { State } from '../../src/formats/tensor.ts';

const state: State = new Map([
  ['conv.0.weight', { dtype: 'F32', shape: [2, 1, 1, 2], data: Float32Array.of(1, -2, 0.5, 4) }],
  ['conv.2.w', { dtype: 'F32', shape: [], data: Float32Array.of(-0.25) }],
  ['conv.1.num_batches_tracked', { dtype: 'I64', shape: [], data: BigInt64Array.of(2n ** 40n) }],
  ['empty', { dtype: 'F32', shape: [0, 3], data: new Float32Array(0) }],
]);

async function unpack(bytes: Uint8Array): Promise<Map<string, NpyArray>> {
  const zip = await fromBufferPromise(Buffer.from(bytes), { lazyEntries: true });
  const arrays = new Map<string, NpyArray>();
  for await (const entry of zip.eachEntry()) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of await zip.openReadStreamPromise(entry)) chunks.push(chunk);
    expect(entry.compressionMethod).toBe(0);
    arrays.set(entry.fileName, decodeNpy(new Uint8Array(Buffer.concat(chunks)), entry.fileName));
  }
  return arrays;
}

describe('an .npz', () => {
  test('is a zip with one .npy per tensor, of any number of dimensions', async () => {
    expect([...(await unpack(await encodeNpz(state)))]).toEqual([
      ['conv.0.weight.npy', { dtype: 'float32', shape: [2, 1, 1, 2], data: Float32Array.of(1, -2, 0.5, 4) }],
      ['conv.2.w.npy', { dtype: 'float32', shape: [], data: Float32Array.of(-0.25) }],
      ['conv.1.num_batches_tracked.npy', { dtype: 'int64', shape: [], data: BigInt64Array.of(2n ** 40n) }],
      ['empty.npy', { dtype: 'float32', shape: [0, 3], data: new Float32Array(0) }],
    ]);
  });

  test('has the same bytes each time, whatever the time zone', async () => {
    const bytes = await encodeNpz(state);
    const zone = process.env.TZ;
    process.env.TZ = 'Pacific/Kiritimati';
    try {
      expect(await encodeNpz(state)).toEqual(bytes);
    } finally {
      if (zone === undefined) delete process.env.TZ;
      else process.env.TZ = zone;
    }
  });
});
