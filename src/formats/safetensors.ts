import { messageOf, ReproError } from '../base/errors.ts';
import { isObject } from '../base/files/shape.ts';
import { escapeControls, quoteName } from '../base/text.ts';
import { countElements, type State, type Tensor } from './tensor.ts';
import { bytesOf, decodeElements, type TorchArray, type TorchType } from './torch-pt/values.ts';

/**
 * Reads a state from a safetensors file. Only F32 and I64, the types of a state, are accepted; `readSafetensorsArrays` reads
 * the others. Tensors are copies, so `bytes` may be reused.
 *
 * @param where the file's name, for errors
 * @throws {ReproError} `safetensors-invalid` if the file is truncated, altered, or in another format
 */
export function readSafetensors(bytes: Uint8Array, where?: string) {
  const { entries, metadata } = parseSafetensors(bytes, where);
  const tensors = entries.map(({ name, dtype, shape, bytes: packed }): [string, Tensor] => {
    const data = decodeElements(dtype, packed);
    if (dtype === 'float32' && data instanceof Float32Array) return [name, { dtype: 'F32', shape, data }];
    if (data instanceof BigInt64Array) return [name, { dtype: 'I64', shape, data }];
    throw new ReproError(
      'safetensors-invalid',
      `tensor ${quoteName(name)} has type ${dtype}, expected float32 or int64.`,
      { where, fix: '`./repro import` converts the other types of a network’s tensors.' },
    );
  });
  return { tensors: new Map(tensors), metadata };
}

/**
 * Writes a state as safetensors: 8-byte types first, otherwise in the state's order, and the header padded with spaces to a
 * multiple of 8 bytes. The same state always gives the same bytes.
 */
export function writeSafetensors(state: State, metadata: Readonly<Record<string, string>> = {}): Uint8Array {
  const header: [string, unknown][] = [];
  if (Object.keys(metadata).length > 0) header.push(['__metadata__', metadata]);
  // The format requires 8-byte types first, so that every tensor is aligned; the sort is stable within a type.
  const bytesOfTensor = ({ dtype }: Tensor) => (dtype === 'I64' ? 8 : 4);
  const ordered = [...state].sort(([, a], [, b]) => bytesOfTensor(b) - bytesOfTensor(a));
  let position = 0;
  for (const [name, { dtype, shape, data }] of ordered) {
    const end = position + data.byteLength;
    header.push([name, { dtype, shape, data_offsets: [position, end] }]);
    position = end;
  }
  // Object.fromEntries would move names that look like numbers to the front and trip over `__proto__`.
  const json = `{${header.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',')}}`;
  const text = new TextEncoder().encode(json);
  const headerBytes = Math.ceil(text.length / 8) * 8;
  const bytes = new Uint8Array(8 + headerBytes + position);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headerBytes), true);
  bytes.set(text, 8);
  bytes.fill(0x20, 8 + text.length, 8 + headerBytes);
  let offset = 8 + headerBytes;
  // Little-endian, as every machine that Node is built for except s390x.
  for (const [, { data }] of ordered) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), offset);
    offset += data.byteLength;
  }
  return bytes;
}

/**
 * Reads a safetensors file from any program: every type that a `.pt` file may have here, decoded in the same way, when asked for.
 *
 * @throws {ReproError} `safetensors-invalid`
 */
export function readSafetensorsArrays(bytes: Uint8Array, where?: string) {
  const { entries, metadata } = parseSafetensors(bytes, where);
  const tensors = entries.map(({ name, dtype, shape, bytes: packed }) => {
    const read = (): TorchArray => ({ dtype, shape, data: decodeElements(dtype, packed) });
    return [name, { shape, read }] as const;
  });
  return { tensors: new Map(tensors), metadata };
}

/** The longest header accepted, as in the reference implementation: a hostile length must not reserve memory. */
const MOST_HEADER_BYTES = 100_000_000;

/** The format's element types. Others are refused. */
const TYPES: Readonly<Record<string, TorchType>> = {
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

type Fail = (message: string, cause?: unknown) => never;

function failIn(where: string | undefined): Fail {
  return (message, cause) => {
    throw new ReproError('safetensors-invalid', `not a valid safetensors file: ${escapeControls(message)}.`, {
      where,
      fix: 'Write or fetch the file again. If a stage made it, run that stage again.',
      cause,
    });
  };
}

/**
 * Splits a safetensors file: u64 length of the header (little-endian), a JSON header, then the tensors' bytes. Strict, as the format
 * demands: every byte of the data belongs to exactly one tensor.
 *
 * @throws {ReproError} `safetensors-invalid` if the file is truncated, altered, or in another format
 * @see https://huggingface.co/docs/safetensors
 */
function parseSafetensors(bytes: Uint8Array, where?: string) {
  const fail = failIn(where);
  if (bytes.length < 8) fail(`expected 8 bytes for the header's length, found ${bytes.length} in all`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headerBytes = view.getBigUint64(0, true);
  if (headerBytes > BigInt(MOST_HEADER_BYTES)) {
    fail(`its header claims ${headerBytes} bytes; at most ${MOST_HEADER_BYTES} are allowed`);
  }
  const dataStart = 8 + Number(headerBytes);
  if (dataStart > bytes.length) {
    fail(`its header claims ${headerBytes} bytes, but only ${bytes.length - 8} follow`);
  }
  const header = parseHeader(bytes.subarray(8, dataStart), fail);
  const { __metadata__: metadata, ...described } = header;
  const data = bytes.subarray(dataStart);
  const entries = Object.entries(described)
    .map(([name, value]) => readEntry(name, value, fail))
    .sort((a, b) => a.begin - b.begin || a.end - b.end);
  let position = 0;
  for (const { name, begin, end } of entries) {
    if (begin !== position) {
      fail(
        `tensor ${quoteName(name)} starts at byte ${begin} of the data, expected ${position} (no gaps, no overlaps)`,
      );
    }
    position = end;
  }
  if (position !== data.length) {
    fail(`its tensors take ${position} bytes, but ${data.length} follow the header`);
  }
  return {
    entries: entries.map(({ begin, end, ...entry }) => ({ ...entry, bytes: data.subarray(begin, end) })),
    metadata: readMetadata(metadata, fail),
  };
}

function parseHeader(bytes: Uint8Array, fail: Fail): Record<string, unknown> {
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    return fail(`its header is not JSON (${messageOf(error)})`, error);
  }
  if (!isObject(header)) return fail('its header is not an object');
  return header;
}

function readMetadata(value: unknown, fail: Fail): Record<string, string> {
  if (value === undefined) return {};
  if (!isObject(value)) return fail('"__metadata__" is not an object');
  // Assignment would lose the key `__proto__`.
  return Object.fromEntries(
    Object.entries(value).map(([key, text]): [string, string] => [
      key,
      typeof text === 'string' ? text : fail(`"__metadata__" has no text under ${quoteName(key)}`),
    ]),
  );
}

function readEntry(name: string, value: unknown, fail: Fail) {
  if (!isObject(value)) return fail(`tensor ${quoteName(name)} is not described by an object`);
  const { dtype, shape, data_offsets: offsets } = value;
  if (typeof dtype !== 'string') return fail(`tensor ${quoteName(name)} has no valid dtype`);
  const type = Object.hasOwn(TYPES, dtype) ? TYPES[dtype] : undefined;
  if (type === undefined) {
    const known = Object.keys(TYPES).join(', ');
    return fail(`tensor ${quoteName(name)} has type ${quoteName(dtype)}; supported are ${known}`);
  }
  if (!isSizes(shape)) return fail(`tensor ${quoteName(name)} has no valid shape`);
  if (!isSizes(offsets) || offsets.length !== 2)
    return fail(`tensor ${quoteName(name)} has no valid data_offsets`);
  const [begin = 0, end = 0] = offsets;
  const needed = countElements(shape) * bytesOf(type);
  if (end - begin !== needed) {
    fail(
      `tensor ${quoteName(name)} of shape [${shape.join(', ')}] needs ${needed} bytes, its offsets give ${end - begin}`,
    );
  }
  return { name, dtype: type, shape, begin, end };
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}
