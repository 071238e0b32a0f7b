/** The element types that are read, and their sizes in bytes. */
export const TORCH_ELEMENT_BYTES = {
  float64: 8,
  float32: 4,
  float16: 2,
  bfloat16: 2,
  int64: 8,
  int32: 4,
  int16: 2,
  int8: 1,
  uint8: 1,
  bool: 1,
} as const;

export type TorchType = keyof typeof TORCH_ELEMENT_BYTES;

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

/** Size of a storage in bytes. */
export function sizeOf({ length, dtype }: TorchStorage): number {
  return length * TORCH_ELEMENT_BYTES[dtype];
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

/** Describes a value for messages. */
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
