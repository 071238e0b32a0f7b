import { parseSafetensors, type SafetensorsType } from './safetensors.ts';
import { decodeElements, type TorchArray, type TorchType } from './torch-pt/values.ts';

const TYPES: Readonly<Record<SafetensorsType, TorchType>> = {
  F64: 'float64',
  F32: 'float32',
  F16: 'float16',
  BF16: 'bfloat16',
  I64: 'int64',
  I32: 'int32',
  I16: 'int16',
  I8: 'int8',
  U8: 'uint8',
  BOOL: 'bool',
};

/** A tensor whose elements are decoded when asked for. */
interface LazyArray {
  readonly shape: readonly number[];
  readonly read: () => TorchArray;
}

/**
 * Reads a safetensors file from any program: every type that a `.pt` file may have here, decoded the same way.
 *
 * @throws {ReproError} `safetensors-invalid`
 */
export function readSafetensorsArrays(
  bytes: Uint8Array,
  where?: string,
): { readonly tensors: Map<string, LazyArray>; readonly metadata: Readonly<Record<string, string>> } {
  const { entries, metadata } = parseSafetensors(bytes, where);
  const tensors = entries.map(({ name, dtype, shape, bytes: elements }): [string, LazyArray] => {
    const type = TYPES[dtype];
    return [name, { shape, read: () => ({ dtype: type, shape, data: decodeElements(type, elements) }) }];
  });
  return { tensors: new Map(tensors), metadata };
}
