import { inflateRawSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { pack, restoreTensor, roundTensor, unpack } from '../../../src/report/explorable/payload.ts';

describe('a packed array', () => {
  test.each([
    ['uint8', Uint8Array.of(0, 255, 3)],
    ['uint16', Uint16Array.of(0, 65_535, 258)],
    ['float32', Float32Array.of(0.1, -0, 1e-45, 3.4e38, Number.NaN)],
    ['uint8', new Uint8Array()],
  ] as const)('comes back to the bit: %s', (type, array) => {
    const packed = pack(array);
    expect(packed.type).toBe(type);
    expect(unpack(packed)).toEqual(array);
    const bytes = (of: typeof array) => [...new Uint8Array(of.buffer, of.byteOffset, of.byteLength)];
    expect(bytes(unpack(packed) as typeof array)).toEqual(bytes(array));
  });

  test('is raw DEFLATE in base64, little-endian, of a part of a buffer only', () => {
    const { data } = pack(Uint16Array.of(7, 258, 9).subarray(1, 2));
    expect([...inflateRawSync(Buffer.from(data, 'base64'))]).toEqual([2, 1]);
  });

  test('may be long: 100,000 numbers', () => {
    let state = 1;
    const array = Uint8Array.from({ length: 100_000 }, () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state >>> 24;
    });
    expect(Buffer.compare(unpack(pack(array)) as Uint8Array, array)).toBe(0);
  });
});

test('a rounded tensor has its shape, zeros and largest value, and is off by half of 1/127 of that at most', () => {
  const data = Float32Array.of(0, 0.5, -2, 1.999, 0.004, -0.013);
  const restored = restoreTensor(roundTensor('fc.2.weight', { dtype: 'F32', shape: [2, 3], data }));
  expect(restored.shape).toEqual([2, 3]);
  expect([restored.data[0], restored.data[2]]).toEqual([0, -2]);
  for (const [i, value] of data.entries())
    expect(Math.abs(Number(restored.data[i]) - value)).toBeLessThan(1.001 / 127);
  const zeros = { dtype: 'F32', shape: [2], data: new Float32Array(2) } as const;
  expect(restoreTensor(roundTensor('fc.5.weight', zeros))).toEqual(zeros);
});
