import { ReproError } from '../errors.ts';
import { countElements, type State, type Tensor } from '../snn/tensor.ts';

/** Longest header that is accepted, as in the reference implementation: a hostile length must not reserve memory. */
const mostHeaderBytes = 100_000_000;
const bytesPerElement = { F32: 4, I64: 8 } as const;

type Dtype = keyof typeof bytesPerElement;

interface Entry {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

export interface SafetensorsFile {
  readonly tensors: Map<string, Tensor>;
  /** The header's `__metadata__`: text under text. */
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Reads a safetensors file: u64 length of the header (little-endian), a JSON header, then the tensors' bytes.
 *
 * Strict: every byte of the data belongs to exactly one tensor, in the way the format demands.
 * Tensors are copies, so `bytes` may be reused. Types other than F32 and I64 are refused.
 *
 * @param where the file's name, for errors
 * @throws {ReproError} `safetensors-invalid` if the file is cut off, altered or not of this format
 * @see https://huggingface.co/docs/safetensors
 */
export function readSafetensors(bytes: Uint8Array, where?: string): SafetensorsFile {
  const fail = (message: string, cause?: unknown): never => {
    throw new ReproError('safetensors-invalid', `Not a whole safetensors file: ${message}`, {
      where,
      fix: 'Write or fetch the file again; a checkpoint that a stage made comes back when that stage runs again.',
      cause,
    });
  };
  if (bytes.length < 8) fail(`it has ${bytes.length} bytes, and the length of its header alone takes 8`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headerBytes = view.getBigUint64(0, true);
  if (headerBytes > BigInt(mostHeaderBytes)) {
    fail(`its header claims ${headerBytes} bytes; ${mostHeaderBytes} are allowed`);
  }
  const dataStart = 8 + Number(headerBytes);
  if (dataStart > bytes.length) {
    fail(`its header claims ${headerBytes} bytes, and ${bytes.length - 8} are there`);
  }
  const header = parseHeader(bytes.subarray(8, dataStart), fail);
  const metadata = readMetadata(header.__metadata__, fail);
  const entries = Object.entries(header)
    .filter(([name]) => name !== '__metadata__')
    .map(([name, value]) => readEntry(name, value, fail))
    .sort((a, b) => a.begin - b.begin || a.end - b.end);

  let position = 0;
  for (const { name, begin, end } of entries) {
    if (begin !== position) {
      fail(
        `tensor "${name}" starts at byte ${begin} of the data, expected ${position} (no gaps, no overlaps)`,
      );
    }
    position = end;
  }
  if (position !== bytes.length - dataStart) {
    fail(`its tensors take ${position} bytes, and ${bytes.length - dataStart} are there`);
  }
  const data = bytes.subarray(dataStart);
  return { tensors: new Map(entries.map((entry) => [entry.name, readTensor(entry, data)])), metadata };
}

/**
 * Writes tensors as safetensors: 8-byte types first, else in the order of the state; the header padded with spaces to a
 * multiple of 8 bytes, so that the same state always gives the same bytes.
 *
 * @throws {ReproError} `safetensors-unwritable` if a tensor's data do not fill its shape or a name is `__metadata__`
 */
export function writeSafetensors(state: State, metadata: Readonly<Record<string, string>> = {}): Uint8Array {
  const header: [string, unknown][] = [];
  if (Object.keys(metadata).length > 0) header.push(['__metadata__', metadata]);
  // The format wants 8-byte types first, so that every tensor is aligned; within a type the state's order stays.
  const ordered = [...state].sort(([, a], [, b]) => bytesPerElement[b.dtype] - bytesPerElement[a.dtype]);
  let position = 0;
  for (const [name, tensor] of ordered) {
    const elements = countElements(tensor.shape);
    if (name === '__metadata__' || elements !== tensor.data.length) {
      throw new ReproError(
        'safetensors-unwritable',
        name === '__metadata__'
          ? 'A tensor cannot be called "__metadata__" in a safetensors file.'
          : `Tensor "${name}" of shape [${tensor.shape.join(', ')}] needs ${elements} elements, got ${tensor.data.length}.`,
      );
    }
    const end = position + elements * bytesPerElement[tensor.dtype];
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

type Fail = (message: string, cause?: unknown) => never;

function parseHeader(bytes: Uint8Array, fail: Fail): Record<string, unknown> {
  if (bytes[0] !== 0x7b) fail('its header does not begin with "{"');
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    return fail(`its header is not JSON (${error instanceof Error ? error.message : String(error)})`, error);
  }
  return isRecord(header) ? header : fail('its header is not an object');
}

function readMetadata(value: unknown, fail: Fail): Record<string, string> {
  if (value === undefined) return {};
  if (!isRecord(value)) return fail('"__metadata__" is not an object');
  const metadata: Record<string, string> = {};
  for (const [key, text] of Object.entries(value)) {
    metadata[key] = typeof text === 'string' ? text : fail(`"__metadata__" has no text under "${key}"`);
  }
  return metadata;
}

function readEntry(name: string, value: unknown, fail: Fail): Entry {
  if (!isRecord(value)) return fail(`tensor "${name}" is not described by an object`);
  const { dtype, shape, data_offsets: offsets } = value;
  if (dtype !== 'F32' && dtype !== 'I64') {
    return fail(`tensor "${name}" is of type ${JSON.stringify(dtype)}; F32 and I64 are read`);
  }
  if (!isSizes(shape)) return fail(`tensor "${name}" has no valid shape`);
  if (!isSizes(offsets) || offsets.length !== 2) return fail(`tensor "${name}" has no valid data_offsets`);
  const [begin = 0, end = 0] = offsets;
  const needed = countElements(shape) * bytesPerElement[dtype];
  if (end - begin !== needed) {
    fail(
      `tensor "${name}" of shape [${shape.join(', ')}] needs ${needed} bytes, its offsets give ${end - begin}`,
    );
  }
  return { name, dtype, shape, begin, end };
}

/** The data may start at any address, and typed arrays want aligned ones: copy, then view. */
function readTensor({ dtype, shape, begin, end }: Entry, data: Uint8Array): Tensor {
  const view = new DataView(data.buffer, data.byteOffset + begin, end - begin);
  if (dtype === 'F32') {
    const values = new Float32Array(view.byteLength / 4);
    for (let i = 0; i < values.length; i++) values[i] = view.getFloat32(4 * i, true);
    return { dtype, shape, data: values };
  }
  const values = new BigInt64Array(view.byteLength / 8);
  for (let i = 0; i < values.length; i++) values[i] = view.getBigInt64(8 * i, true);
  return { dtype, shape, data: values };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}
