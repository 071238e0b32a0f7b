import {
  type Fail,
  PickleName,
  PickleRecord,
  type PickleValue,
  TorchStorage,
  TorchTensor,
  type TorchType,
} from './values.ts';

/*
 * What a pickle may name. Python would import and call whatever a pickle names; here a name is looked up in these lists, and
 * any other name is refused before anything else is read.
 *
 * `functions` gives the value that each function stands for. The classes in `CLASSES` become inert records: those of PyTorch,
 * of SpikingJelly, of the original's models.py, and of the script itself (`__main__`, where people define networks in
 * notebooks). Records are harmless, but the list is short on purpose: a checkpoint that names anything else is not what it
 * seems.
 */
const CLASSES = [
  /^torch\.nn(\.\w+)*\.\w+$/,
  /^torch\.optim(\.\w+)*\.\w+$/,
  /^models(\.\w+)*\.\w+$/,
  /^spikingjelly(\.\w+)*\.\w+$/,
  /^__main__\.\w+$/,
  /^torch\.Tensor$/,
  /^numpy\.dtype$/,
];

/** Modules among those above that hold functions rather than classes. */
const NO_CLASS = /^torch\.nn\.(?:functional|utils|init)(?:\.|$)/;

const STORAGES: Readonly<Record<string, TorchType>> = {
  DoubleStorage: 'float64',
  FloatStorage: 'float32',
  HalfStorage: 'float16',
  BFloat16Storage: 'bfloat16',
  LongStorage: 'int64',
  IntStorage: 'int32',
  ShortStorage: 'int16',
  CharStorage: 'int8',
  ByteStorage: 'uint8',
  BoolStorage: 'bool',
};

/** PyTorch's element types. A tensor of a type not listed above is refused when its storage is named. */
const DTYPES = /^torch\.(?:float|double|half|int|long|short|bool|(?:b?float|u?int|complex)\d+)$/;

/** Names go into messages; PyTorch's longest has about 60 characters. */
const MOST_NAME_LENGTH = 200;

/** Where the record of a `numpy.dtype` keeps its byte order: `<`, `>`, `|` (irrelevant) or `=` (native). */
export const NUMPY_BYTE_ORDER = 'byteorder';

/** A call of one function of the allow-list. `charge` counts copied values against the pickle's limit. */
interface Call {
  readonly args: readonly PickleValue[];
  readonly fail: Fail;
  readonly charge: (values: number) => void;
}

const functions: Readonly<Record<string, (call: Call) => PickleValue>> = {
  'torch._utils._rebuild_tensor': rebuildTensor,
  'torch._utils._rebuild_tensor_v2': rebuildTensor,
  'torch._utils._rebuild_parameter': firstTensor,
  'torch._utils._rebuild_parameter_with_state': firstTensor,
  'torch._tensor._rebuild_from_type_v2': rebuildFromType,
  'torch.device': ({ args }) => new PickleRecord('torch.device', args),
  'torch.Size': copyList,
  'collections.OrderedDict': makeMap,
  'collections.defaultdict': (call) => makeMap({ ...call, args: call.args.slice(1) }),
  'collections.Counter': makeMap,
  'builtins.set': makeSet,
  'builtins.frozenset': makeSet,
  'builtins.list': copyList,
  'builtins.tuple': copyList,
  'builtins.dict': makeMap,
  'builtins.bytearray': ({ args: [bytes], fail }) =>
    bytes instanceof Uint8Array ? bytes : fail('broken', 'a bytearray is not made from bytes'),
  'builtins.getattr': nameMember,
  '_codecs.encode': encodeLatin1,
  'numpy.core.multiarray.scalar': readScalar,
  'numpy._core.multiarray.scalar': readScalar,
};

/** The name that a pickle's module and name stand for. @throws through `fail` if it is not on the list */
export function lookUpName(module: string, name: string, fail: Fail, offset: number): PickleName {
  // Protocol 2 uses Python 2's name for the module.
  const full = `${module === '__builtin__' ? 'builtins' : module}.${name}`;
  if (full.length <= MOST_NAME_LENGTH && /^\w+$/.test(name) && isKnown(full)) return new PickleName(full);
  const shown = JSON.stringify(full.slice(0, 200)).slice(1, -1);
  return fail('refused', `the file asks for ${shown}, which no checkpoint of these networks needs`, offset);
}

function isKnown(full: string): boolean {
  return (
    Object.hasOwn(functions, full) || DTYPES.test(full) || storageType(full) !== undefined || isClass(full)
  );
}

function isClass(full: string): boolean {
  return CLASSES.some((pattern) => pattern.test(full)) && !NO_CLASS.test(full);
}

/** The element type of a storage class such as `torch.FloatStorage`; undefined for anything else. */
export function storageType(name: string): TorchType | undefined {
  const [, type] = /^torch(?:\.cuda)?\.(\w+)$/.exec(name) ?? [];
  return type !== undefined && Object.hasOwn(STORAGES, type) ? STORAGES[type] : undefined;
}

/** The result of calling a name: a value, or a record if it is a class. */
export function callName(callee: PickleValue, call: Call): PickleValue {
  if (!(callee instanceof PickleName)) return call.fail('broken', 'it calls something that is not a name');
  if (Object.hasOwn(functions, callee.name)) return functions[callee.name]!(call);
  if (isClass(callee.name)) return new PickleRecord(callee.name, call.args);
  return call.fail('refused', `it calls ${callee.name}, which is not callable`);
}

function rebuildTensor({ args: [storage, offset, shape, strides], fail, charge }: Call): TorchTensor {
  if (!(storage instanceof TorchStorage)) return fail('broken', 'a tensor has no storage');
  if (!isCount(offset) || !isCounts(shape) || !isCounts(strides) || shape.length !== strides.length) {
    return fail('broken', 'a tensor’s offset, shape and strides are not whole numbers, or differ in length');
  }
  const elements = shape.reduce((product, size) => product * size, 1);
  const end = shape.reduce((last, size, axis) => last + (size - 1) * strides[axis]!, offset) + 1;
  if (elements > 0 ? end > storage.length : offset > storage.length) {
    fail(
      'broken',
      `a tensor [${shape.join(', ')}] with strides [${strides.join(', ')}] ends at element ${end}, its storage at ${storage.length}`,
    );
  }
  charge(2 * shape.length);
  // Copies: the pickle still holds its own lists, and could append to them after this check.
  return new TorchTensor(storage, offset, [...shape], [...strides]);
}

function firstTensor({ args: [tensor], fail }: Call): TorchTensor {
  return tensor instanceof TorchTensor ? tensor : fail('broken', 'a parameter is not made from a tensor');
}

/** A tensor with attributes, which are ignored. */
function rebuildFromType({ args: [callee, , args], fail, charge }: Call): PickleValue {
  const known = callee instanceof PickleName && callee.name.startsWith('torch._utils._rebuild_');
  return known && Array.isArray(args)
    ? callName(callee, { args, fail, charge })
    : fail('broken', 'a tensor is rebuilt in an unknown way');
}

function copyList({ args: [values], fail, charge }: Call): PickleValue[] {
  if (values === undefined) return [];
  const list = values instanceof Set ? [...values] : values;
  if (!Array.isArray(list)) return fail('broken', 'a list is not made from a list');
  charge(list.length);
  return [...list];
}

function makeSet(call: Call): Set<PickleValue> {
  return new Set(copyList(call));
}

/** A dictionary made from nothing, another dictionary, or a list of pairs. */
function makeMap({ args: [items], fail, charge }: Call): Map<PickleValue, PickleValue> {
  if (items === undefined) return new Map();
  if (!Array.isArray(items) && !(items instanceof Map)) {
    return fail('broken', 'a dictionary is not made from pairs');
  }
  charge(Array.isArray(items) ? items.length : items.size);
  return new Map(
    [...items].map((pair): [PickleValue, PickleValue] =>
      Array.isArray(pair) && pair.length === 2
        ? [pair[0] ?? null, pair[1] ?? null]
        : fail('broken', 'a dictionary is not made from pairs'),
    ),
  );
}

/**
 * SpikingJelly stores a class's function as an attribute, which pickle writes as `getattr(ATan, 'spiking_function')`. That is
 * allowed, as a name that cannot be called; attributes of anything but a listed class are refused.
 */
function nameMember({ args: [owner, name, ...more], fail }: Call): PickleName {
  const isMember =
    owner instanceof PickleName &&
    isClass(owner.name) &&
    typeof name === 'string' &&
    name.length <= MOST_NAME_LENGTH &&
    /^[a-z]\w*$/i.test(name) &&
    more.length === 0;
  return isMember
    ? new PickleName(`${owner.name}.<${name}>`)
    : fail('refused', 'it asks for builtins.getattr of something other than a class of these networks');
}

/** In protocol 2, Python 3 writes bytes as a string and a call that encodes it. */
function encodeLatin1({ args: [text, encoding], fail, charge }: Call): Uint8Array {
  if (typeof text !== 'string' || encoding !== 'latin1')
    return fail('broken', 'it encodes a string in an unknown way');
  charge(text.length);
  return Uint8Array.from(text, (character) => character.codePointAt(0) ?? 0);
}

function readScalar({ args: [dtype, bytes], fail }: Call): PickleValue {
  const type = dtype instanceof PickleRecord ? dtype.args[0] : undefined;
  if (!(bytes instanceof Uint8Array)) return fail('broken', 'a NumPy scalar has no bytes');
  const order = dtype instanceof PickleRecord ? dtype.state.get(NUMPY_BYTE_ORDER) : undefined;
  if (order !== undefined && order !== '<' && order !== '|' && order !== '=') {
    const shown = order === '>' ? 'big-endian' : 'in an unknown byte order';
    return fail('unsupported', `a NumPy scalar is ${shown}; only little-endian ones are read`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (type === 'f8' && view.byteLength === 8) return view.getFloat64(0, true);
  if (type === 'f4' && view.byteLength === 4) return view.getFloat32(0, true);
  if (type === 'i8' && view.byteLength === 8) return Number(view.getBigInt64(0, true));
  if (type === 'i4' && view.byteLength === 4) return view.getInt32(0, true);
  if (type === 'b1' && view.byteLength === 1) return view.getUint8(0) !== 0;
  return fail('broken', 'a NumPy scalar has an unknown type');
}

function isCount(value: PickleValue | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isCounts(value: PickleValue | undefined): value is number[] {
  return Array.isArray(value) && value.length <= 64 && value.every(isCount);
}
