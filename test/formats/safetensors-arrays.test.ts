import { expect, test } from 'vitest';
import { readSafetensorsArrays } from '../../src/formats/safetensors-arrays.ts';
import { torchFixture } from '../support/torch-file.ts';

test('every type written by the safetensors package is decoded as in a .pt file', () => {
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
