import { ReproError } from '../errors.ts';
import { countElements, type State, type Tensor } from '../snn/tensor.ts';
import { parseSafetensors, SAFETENSORS_ELEMENT_BYTES } from './safetensors-header.ts';
import { quoteName } from './shown-text.ts';

export interface SafetensorsFile {
  readonly tensors: Map<string, Tensor>;
  /** The header's `__metadata__`: strings by name. */
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Reads a state from a safetensors file. Only F32 and I64, the types of a state, are accepted; `readSafetensorsArrays` reads
 * the others. Tensors are copies, so `bytes` may be reused.
 *
 * @param where the file's name, for errors
 * @throws {ReproError} `safetensors-invalid` if the file is truncated, altered, or in another format
 */
export function readSafetensors(bytes: Uint8Array, where?: string): SafetensorsFile {
  const { entries, metadata } = parseSafetensors(bytes, where);
  const tensors = entries.map(({ name, dtype, shape, bytes: data }): [string, Tensor] => {
    if (dtype === 'F32') return [name, { dtype, shape, data: new Float32Array(aligned(data)) }];
    if (dtype === 'I64') return [name, { dtype, shape, data: new BigInt64Array(aligned(data)) }];
    throw new ReproError(
      'safetensors-invalid',
      `tensor ${quoteName(name)} has type ${dtype}, expected F32 or I64.`,
      { where, fix: '`repro import` converts the other types of a network’s tensors.' },
    );
  });
  return { tensors: new Map(tensors), metadata };
}

/**
 * Writes a state as safetensors: 8-byte types first, otherwise in the state's order, and the header padded with spaces to a
 * multiple of 8 bytes. The same state always gives the same bytes.
 *
 * @throws {ReproError} `safetensors-unwritable` if a tensor's data do not fill its shape or a name is `__metadata__`
 */
export function writeSafetensors(state: State, metadata: Readonly<Record<string, string>> = {}): Uint8Array {
  const header: [string, unknown][] = [];
  if (Object.keys(metadata).length > 0) header.push(['__metadata__', metadata]);
  // The format requires 8-byte types first, so that every tensor is aligned; the sort is stable within a type.
  const ordered = [...state].sort(
    ([, a], [, b]) => SAFETENSORS_ELEMENT_BYTES[b.dtype] - SAFETENSORS_ELEMENT_BYTES[a.dtype],
  );
  let position = 0;
  for (const [name, tensor] of ordered) {
    const elements = countElements(tensor.shape);
    if (name === '__metadata__' || elements !== tensor.data.length) {
      throw new ReproError(
        'safetensors-unwritable',
        name === '__metadata__'
          ? 'A tensor cannot be called "__metadata__" in a safetensors file.'
          : `Tensor ${quoteName(name)} of shape [${tensor.shape.join(', ')}] needs ${elements} elements, got ${tensor.data.length}.`,
      );
    }
    const end = position + elements * SAFETENSORS_ELEMENT_BYTES[tensor.dtype];
    header.push([name, { dtype: tensor.dtype, shape: tensor.shape, data_offsets: [position, end] }]);
    position = end;
  }
  // Object.fromEntries would move names that look like numbers to the front and trip over `__proto__`.
  const json = `{${header.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',')}}`;
  const text = new TextEncoder().encode(json);
  const headerBytes = Math.ceil(text.length / 8) * 8;
  const bytes = new Uint8Array(8 + headerBytes + position);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(headerBytes), true);
  bytes.set(text, 8);
  bytes.fill(0x20, 8 + text.length, 8 + headerBytes);
  let offset = 8 + headerBytes;
  for (const [, tensor] of ordered) {
    if (tensor.dtype === 'F32') {
      for (const value of tensor.data) {
        view.setFloat32(offset, value, true);
        offset += 4;
      }
    } else {
      for (const value of tensor.data) {
        view.setBigInt64(offset, value, true);
        offset += 8;
      }
    }
  }
  return bytes;
}

/** A copy has the alignment that typed arrays need. */
function aligned(bytes: Uint8Array): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}
