import type { Fail } from './problems.ts';
import type { TorchTensor, TorchType } from './values.ts';

/** A tensor's elements in C order, in the typed array that holds them exactly; half precision as single. */
export interface TorchArray {
  readonly dtype: TorchType;
  readonly shape: readonly number[];
  readonly data:
    | Float64Array
    | Float32Array
    | BigInt64Array
    | Int32Array
    | Int16Array
    | Int8Array
    | Uint8Array;
}

/**
 * Gathers a tensor's elements from its storage, whatever its strides.
 *
 * @param bytes the storage, little-endian
 */
export function gatherElements(tensor: TorchTensor, bytes: Uint8Array, fail: Fail): TorchArray {
  const { shape, strides, offset, storage } = tensor;
  const count = shape.includes(0) ? 0 : shape.reduce((product, size) => product * size, 1);
  if (count > storage.length) {
    // Only expanded tensors repeat elements, and a network's tensors are not expanded.
    fail(
      'unsupported',
      `a tensor [${shape.join(', ')}] repeats the ${storage.length} elements of its storage`,
      undefined,
      'Load it with PyTorch on the machine that it comes from and save each tensor as `tensor.contiguous()`: expand() gives a tensor no elements of its own.',
    );
  }
  const elements = decodeElements(storage.dtype, bytes);
  if (isContiguous(tensor))
    return { dtype: storage.dtype, shape, data: elements.slice(offset, offset + count) };
  const data = elements.slice(0, count);
  const index = new Array<number>(shape.length).fill(0);
  let from = offset;
  for (let i = 0; i < count; i++) {
    data[i] = elements[from]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis]!;
      index[axis]!++;
      if (index[axis]! < shape[axis]!) break;
      from -= index[axis]! * strides[axis]!;
      index[axis] = 0;
    }
  }
  return { dtype: storage.dtype, shape, data };
}

/** Whether the elements lie in C order without gaps, as a network's do. */
function isContiguous({ shape, strides }: TorchTensor): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && strides[axis] !== expected) return false;
    expected *= shape[axis]!;
  }
  return true;
}

/** Decodes little-endian elements: always a copy, so `bytes` may have any alignment. */
export function decodeElements(dtype: TorchType, bytes: Uint8Array): TorchArray['data'] {
  const { buffer } = new Uint8Array(bytes);
  switch (dtype) {
    case 'float64':
      return new Float64Array(buffer);
    case 'float32':
      return new Float32Array(buffer);
    case 'float16':
      return Float32Array.from(new Uint16Array(buffer), singleOfHalf);
    case 'bfloat16':
      // The upper half of a single-precision number.
      return new Float32Array(Uint32Array.from(new Uint16Array(buffer), (bits) => bits << 16).buffer);
    case 'int64':
      return new BigInt64Array(buffer);
    case 'int32':
      return new Int32Array(buffer);
    case 'int16':
      return new Int16Array(buffer);
    case 'int8':
      return new Int8Array(buffer);
    case 'uint8':
    case 'bool':
      return new Uint8Array(buffer);
  }
}

/** IEEE 754 half precision: 1 bit of sign, 5 of exponent, 10 of fraction. */
function singleOfHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
