import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ReproError } from '../../src/base/errors.ts';
import { readSafetensors, readSafetensorsArrays, writeSafetensors } from '../../src/formats/safetensors.ts';
import type { Tensor } from '../../src/formats/tensor.ts';
import { torchFixture } from '../support/torch-file.ts';

const golden = new URL('../golden/', import.meta.url);

function fileOf(header: unknown, data: number[] = []): Uint8Array {
  const text = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + text.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  bytes.set(data, 8 + text.length);
  return bytes;
}

const f32 = (shape: number[], ...values: number[]): Tensor => ({
  dtype: 'F32',
  shape,
  data: Float32Array.from(values),
});

describe('readSafetensors', () => {
  it('reads a tensor written by hand, at an odd address', () => {
    const file = fileOf(
      { a: { dtype: 'F32', shape: [2, 1], data_offsets: [0, 8] } },
      [0, 0, 128, 63, 0, 0, 32, 192],
    );
    const shifted = new Uint8Array(file.length + 1);
    shifted.set(file, 1);
    const { tensors, metadata } = readSafetensors(shifted.subarray(1));
    expect(tensors).toEqual(new Map([['a', f32([2, 1], 1, -2.5)]]));
    expect(metadata).toEqual({});
  });

  it('reads every golden file that the reference implementation wrote', () => {
    const names = readdirSync(golden).filter((file) => /^(net|plif|lif)_.*\.safetensors$/.test(file));
    expect(names).toHaveLength(23);
    for (const name of names) {
      expect(readSafetensors(readFileSync(new URL(name, golden))).tensors.size).toBeGreaterThan(3);
    }
  });

  it('keeps no part of the given bytes', () => {
    const file = writeSafetensors(new Map([['a', f32([1], 7)]]));
    const { tensors } = readSafetensors(file);
    file.fill(0);
    expect(tensors.get('a')?.data[0]).toBe(7);
  });

  it('refuses a file that is truncated at any byte, or has an extra byte', () => {
    const file = writeSafetensors(new Map([['a', f32([3], 1, 2, 3)]]));
    for (let length = 0; length < file.length; length++) {
      expect(() => readSafetensors(file.subarray(0, length)), `${length} bytes`).toThrow(ReproError);
    }
    expect(() => readSafetensors(new Uint8Array([...file, 0]))).toThrow(
      /take 12 bytes, but 13 follow the header/,
    );
  });

  it.each(
    Object.entries<[bytes: Uint8Array, message: RegExp]>({
      'a header longer than allowed': [
        new Uint8Array([0, 0, 0, 0, 0, 0, 0, 255]),
        /claims 18374686479671623680 bytes/,
      ],
      'a header that is not JSON': [fileOf('{"a":'), /not JSON/],
      'a header that is not an object': [fileOf('[]'), /not an object/],
      'text that is not UTF-8': [new Uint8Array([2, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0xff]), /not JSON/],
      'a list for a tensor': [fileOf({ a: [] }), /not described by an object/],
      'an unknown type': [
        fileOf({ a: { dtype: 'F4', shape: [], data_offsets: [0, 2] } }, [0, 0]),
        /has type "F4"/,
      ],
      'a type that no state has': [
        fileOf({ a: { dtype: 'BF16', shape: [], data_offsets: [0, 2] } }, [0, 0]),
        /has type bfloat16, expected float32 or int64/,
      ],
      'a size that is text': [
        fileOf({ a: { dtype: 'F32', shape: ['1'], data_offsets: [0, 4] } }),
        /no valid shape/,
      ],
      'a negative size': [
        fileOf({ a: { dtype: 'F32', shape: [-1], data_offsets: [0, 0] } }),
        /no valid shape/,
      ],
      'a name with control characters, which are escaped': [
        fileOf({ '\u001b]0;x\u0007\u009b\u202e': [] }),
        /tensor "\\u001b\]0;x\\u0007\\u009b\\u202e" is not described/,
      ],
      'offsets that run backwards': [
        fileOf({ a: { dtype: 'F32', shape: [1], data_offsets: [4, 0] } }),
        /give -4/,
      ],
      'a shape whose product overflows': [
        fileOf({ a: { dtype: 'F32', shape: [2 ** 30, 2 ** 30, 4], data_offsets: [0, 0] } }),
        /needs/,
      ],
      'two tensors in the same bytes': [
        fileOf(
          {
            a: { dtype: 'F32', shape: [1], data_offsets: [0, 4] },
            b: { dtype: 'F32', shape: [1], data_offsets: [0, 4] },
          },
          [0, 0, 0, 0],
        ),
        /no gaps, no overlaps/,
      ],
      'a gap between tensors': [
        fileOf({ a: { dtype: 'F32', shape: [1], data_offsets: [4, 8] } }, [0, 0, 0, 0, 0, 0, 0, 0]),
        /expected 0/,
      ],
      'metadata that is not text': [fileOf({ __metadata__: { epoch: 3 } }), /no text under "epoch"/],
    }),
  )('refuses %s', (_, [bytes, message]) => {
    expect(() => readSafetensors(bytes, 'best.safetensors')).toThrow(message);
  });

  it('fails with nothing but its own error, whatever the bytes', () => {
    const file = writeSafetensors(new Map([['a', f32([2], 1, 2)]]), { k: 'v' });
    fc.assert(
      fc.property(fc.nat(file.length - 1), fc.nat(255), (position, value) => {
        const altered = file.slice();
        altered[position] = value;
        try {
          readSafetensors(altered);
        } catch (error) {
          expect(error).toBeInstanceOf(ReproError);
        }
      }),
      { seed: 2020 },
    );
  });
});

describe('writeSafetensors', () => {
  it('writes what is read back, counters and metadata included', () => {
    const state = new Map<string, Tensor>([
      ['conv.0.weight', f32([1, 2], 0.1, Number.NaN)],
      ['conv.1.num_batches_tracked', { dtype: 'I64', shape: [], data: BigInt64Array.of(-(2n ** 60n)) }],
      ['empty', f32([0, 3])],
      ['0', f32([], Number.NEGATIVE_INFINITY)],
    ]);
    const { tensors, metadata } = readSafetensors(writeSafetensors(state, { epoch: '3', title: 'λ = .01' }));
    expect(Object.fromEntries(tensors)).toEqual(Object.fromEntries(state));
    expect(metadata).toEqual({ epoch: '3', title: 'λ = .01' });
  });
});

it('every type written by the safetensors package is decoded as in a .pt file', () => {
  const { tensors, metadata } = readSafetensorsArrays(torchFixture('kinds.safetensors'), 'kinds');
  const read = (name: string) => {
    const { dtype, shape, data } = tensors.get(name)!.read();
    return [dtype, shape, [...data]];
  };
  expect(metadata).toEqual({});
  expect(tensors.size).toBe(15);
  for (const type of ['float64', 'float32', 'float16', 'bfloat16', 'int32', 'int16', 'int8', 'uint8']) {
    expect(read(`torch.${type}`)).toEqual([type, [3], [0, 1, 100]]);
  }
  expect(read('torch.int64')).toEqual(['int64', [3], [0n, 1n, 100n]]);
  expect(read('bool')).toEqual(['bool', [3], [1, 0, 1]]);
  expect(read('halves')).toEqual(['float16', [5], [1.5, -0.25, 65504, 2 ** -24, Infinity]]);
  expect(read('brains')).toEqual(['bfloat16', [3], [1.5, -0.25, 1.0002555517425873e30]]);
  expect(read('large')).toEqual(['int64', [2], [2n ** 62n, -1n]]);
  expect(read('scalar')).toEqual(['float32', [], [3.5]]);
  expect(read('empty')).toEqual(['float32', [0, 3], []]);
});
