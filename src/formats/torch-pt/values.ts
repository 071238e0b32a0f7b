import { ReproError } from '../../base/errors.ts';
import { escapeControls } from '../../base/text.ts';

/** The element types that are read: bytes of each element, and how they are decoded; half precision as single. */
const ELEMENTS = {
  float64: { bytes: 8, decode: (memory: ArrayBuffer) => new Float64Array(memory) },
  float32: { bytes: 4, decode: (memory: ArrayBuffer) => new Float32Array(memory) },
  float16: {
    bytes: 2,
    decode: (memory: ArrayBuffer) => Float32Array.from(new Uint16Array(memory), singleOfHalf),
  },
  bfloat16: { bytes: 2, decode: singlesOfBfloat16 },
  int64: { bytes: 8, decode: (memory: ArrayBuffer) => new BigInt64Array(memory) },
  int32: { bytes: 4, decode: (memory: ArrayBuffer) => new Int32Array(memory) },
  int16: { bytes: 2, decode: (memory: ArrayBuffer) => new Int16Array(memory) },
  int8: { bytes: 1, decode: (memory: ArrayBuffer) => new Int8Array(memory) },
  uint8: { bytes: 1, decode: (memory: ArrayBuffer) => new Uint8Array(memory) },
  bool: { bytes: 1, decode: (memory: ArrayBuffer) => new Uint8Array(memory) },
} as const;

export type TorchType = keyof typeof ELEMENTS;

export function bytesOf(dtype: TorchType): number {
  return ELEMENTS[dtype].bytes;
}

/** A class or function of the allow-list: only its name. */
export class PickleName {
  readonly name: string;

  /** @param name with its module: `models.PLIFNode` */
  constructor(name: string) {
    this.name = name;
  }
}

/** What would be an object in Python: its class and what it holds. */
export class PickleRecord {
  /** `models.PLIFNode` */
  readonly className: string;
  /** Its constructor's arguments. */
  readonly args: readonly PickleValue[];
  /** Its attributes. */
  readonly state = new Map<PickleValue, PickleValue>();

  constructor(className: string, args: readonly PickleValue[]) {
    this.className = className;
    this.args = args;
  }
}

/** Bytes that one or more tensors view; read when a tensor is. */
export class TorchStorage {
  readonly key: string;
  readonly dtype: TorchType;
  /** Number of elements. */
  readonly length: number;

  constructor(key: string, dtype: TorchType, length: number) {
    this.key = key;
    this.dtype = dtype;
    this.length = length;
  }
}

export function storageBytes({ length, dtype }: TorchStorage): number {
  return length * bytesOf(dtype);
}

/** A view that lies entirely inside its storage. Offset and strides count elements. */
export class TorchTensor {
  readonly storage: TorchStorage;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];

  constructor(storage: TorchStorage, offset: number, shape: readonly number[], strides: readonly number[]) {
    this.storage = storage;
    this.offset = offset;
    this.shape = shape;
    this.strides = strides;
  }
}

/**
 * A value in a pickle. Lists and tuples are arrays, dictionaries of every kind are maps, whole numbers beyond 2^53 are bigint.
 * Values may refer to each other in cycles.
 */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PickleValue[]
  | Map<PickleValue, PickleValue>
  | Set<PickleValue>
  | PickleName
  | PickleRecord
  | TorchStorage
  | TorchTensor;

export function describeValue(value: PickleValue | undefined): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'None';
  if (typeof value === 'string') return 'a string';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'number' || typeof value === 'bigint') return `the number ${value}`;
  if (value instanceof Uint8Array) return 'bytes';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (value instanceof Map) return 'a dictionary';
  if (value instanceof Set) return 'a set';
  if (value instanceof PickleName) return `the name ${value.name}`;
  if (value instanceof PickleRecord) return `a ${value.className}`;
  if (value instanceof TorchStorage) return 'a storage';
  return `a tensor [${value.shape.join(', ')}]`;
}

/**
 * Reports what went wrong while a file was read, and where in it. The containers add the file's name.
 *
 * @param what may contain names from the file: control characters are escaped
 * @param fix replaces the usual advice for this kind of failure
 */
export type Fail = (kind: FailureKind, what: string, offset?: number, fix?: string) => never;

/** `broken`: truncated or altered. `refused`: asks for something that no checkpoint needs. `unsupported`: valid, but not read here. */
type FailureKind = 'broken' | 'refused' | 'unsupported';

const FIXES: Readonly<Record<FailureKind, string>> = {
  // Not "try torch.load": that would run code in the file.
  broken: 'Fetch or save it again.',
  refused:
    'Nothing in it was run. If you trust its origin, load it there with PyTorch and save `net.state_dict()` with torch.save.',
  unsupported:
    'Load it with PyTorch on the machine that it comes from and save `net.state_dict()` with torch.save.',
};

/** Errors of one file (and, in a zip, one member): code `torch-broken`, `torch-refused` or `torch-unsupported`. */
export function failIn(file: string, member?: string): Fail {
  return (kind, what, offset, fix) => {
    const place = [file, ...(member === undefined ? [] : [member])].join(': ');
    throw new ReproError(`torch-${kind}`, `${escapeControls(what)}.`, {
      where: offset === undefined ? place : `${place}: byte ${offset}`,
      fix: fix ?? FIXES[kind],
    });
  };
}

/** A tensor's elements in C order, in the typed array that holds them exactly; half precision as single. */
export interface TorchArray {
  readonly dtype: TorchType;
  readonly shape: readonly number[];
  readonly data: ReturnType<(typeof ELEMENTS)[TorchType]['decode']>;
}

/**
 * Gathers a tensor's elements from its storage, for any strides.
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

/** Decodes little-endian elements: always a copy, so `bytes` may have any alignment. */
export function decodeElements(dtype: TorchType, bytes: Uint8Array): TorchArray['data'] {
  return ELEMENTS[dtype].decode(new Uint8Array(bytes).buffer);
}

/** Each is the upper half of a single-precision number. */
function singlesOfBfloat16(memory: ArrayBuffer): Float32Array {
  return new Float32Array(Uint32Array.from(new Uint16Array(memory), (bits) => bits << 16).buffer);
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
