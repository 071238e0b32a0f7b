import type { Fail } from './problems.ts';
import {
  PickleName,
  PickleRecord,
  type PickleValue,
  TorchStorage,
  TorchTensor,
  type TorchType,
} from './values.ts';

/*
 * What a pickle may name. Python would import whatever a pickle names and call it; here a name is looked up in these lists, and one
 * that is in neither is refused before anything else is looked at.
 *
 * `functions` says for each function what value it stands for. The classes of `CLASSES` become inert records, whoever wrote
 * them: those of PyTorch, of SpikingJelly, of the original's models.py, and of the script itself (`__main__`, where people define networks in
 * notebooks). Harmless as records are, the list is short on purpose: a checkpoint that names anything else is not what it seems.
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

/** Modules inside those above, of functions that PyTorch uses for what is not read here. */
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

/** Types that exist in PyTorch; a tensor of another than those above is refused where its storage is named. */
const DTYPES = /^torch\.(?:float|double|half|int|long|short|bool|(?:b?float|u?int|complex)\d+)$/;

/** Names go into paths and messages; the longest of PyTorch has some 60 characters. */
const MOST_NAME_LENGTH = 200;

/** Calls one function of the allow-list. `charge` counts copied elements against the limit of the file. */
interface Call {
  readonly args: readonly PickleValue[];
  readonly fail: Fail;
  readonly charge: (elements: number) => void;
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
    bytes instanceof Uint8Array ? bytes : fail('broken', 'a bytearray is made of something other than bytes'),
  'builtins.getattr': nameMember,
  '_codecs.encode': encodeLatin1,
  'numpy.core.multiarray.scalar': readScalar,
  'numpy._core.multiarray.scalar': readScalar,
};

/** What a pickle means by a module and a name. @throws through `fail` if that is not on the list */
export function lookUpName(module: string, name: string, fail: Fail, offset: number): PickleName {
  // Protocol 2 calls the module as Python 2 did.
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

/** The element type of `torch.FloatStorage`; undefined for what is no storage. */
export function storageType(name: string): TorchType | undefined {
  const [, type] = /^torch(?:\.cuda)?\.(\w+)$/.exec(name) ?? [];
  return type !== undefined && Object.hasOwn(STORAGES, type) ? STORAGES[type] : undefined;
}

/** What calling a name gives: a value, or a record where it is a class. */
export function callName(callee: PickleValue, call: Call): PickleValue {
  if (!(callee instanceof PickleName)) return call.fail('broken', 'it calls something that is no name');
  if (Object.hasOwn(functions, callee.name)) return functions[callee.name]!(call);
  if (isClass(callee.name)) return new PickleRecord(callee.name, call.args);
  return call.fail('refused', `it calls ${callee.name}, which is nothing to call`);
}

function rebuildTensor({ args: [storage, offset, shape, strides], fail, charge }: Call): TorchTensor {
  if (!(storage instanceof TorchStorage)) return fail('broken', 'a tensor has no storage');
  if (!isCount(offset) || !isCounts(shape) || !isCounts(strides) || shape.length !== strides.length) {
    return fail('broken', 'a tensor’s offset, shape and strides are no whole numbers, or not equally many');
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
  // Copies: the pickle still has hold of its own lists, and could append to them now that they have been checked.
  return new TorchTensor(storage, offset, [...shape], [...strides]);
}

function firstTensor({ args: [tensor], fail }: Call): TorchTensor {
  return tensor instanceof TorchTensor
    ? tensor
    : fail('broken', 'a parameter is made of something other than a tensor');
}

/** A tensor that had attributes: they are left out. */
function rebuildFromType({ args: [callee, , args], fail, charge }: Call): PickleValue {
  const known = callee instanceof PickleName && callee.name.startsWith('torch._utils._rebuild_');
  return known && Array.isArray(args)
    ? callName(callee, { args, fail, charge })
    : fail('broken', 'a tensor is rebuilt in a way that is not known');
}

function copyList({ args: [values], fail, charge }: Call): PickleValue[] {
  if (values === undefined) return [];
  const list = values instanceof Set ? [...values] : values;
  if (!Array.isArray(list)) return fail('broken', 'a list is made of something other than a list');
  charge(list.length);
  return [...list];
}

function makeSet(call: Call): Set<PickleValue> {
  return new Set(copyList(call));
}

/** A dictionary from nothing, another dictionary, or a list of pairs. */
function makeMap({ args: [items], fail, charge }: Call): Map<PickleValue, PickleValue> {
  if (items === undefined) return new Map();
  if (!Array.isArray(items) && !(items instanceof Map)) {
    return fail('broken', 'a dictionary is made of something other than pairs');
  }
  charge(Array.isArray(items) ? items.length : items.size);
  return new Map(
    [...items].map((pair): [PickleValue, PickleValue] =>
      Array.isArray(pair) && pair.length === 2
        ? [pair[0] ?? null, pair[1] ?? null]
        : fail('broken', 'a dictionary is made of something other than pairs'),
    ),
  );
}

/**
 * SpikingJelly keeps a function of a class as an attribute, which pickle writes as `getattr(ATan, 'spiking_function')`. That much is let
 * through, as a name that cannot be called: attributes of anything but a class of the list are refused.
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
    : fail('refused', 'it asks for builtins.getattr of something that is no class of these networks');
}

/** Python 3 writes bytes to protocol 2 as a text and the order to encode it. */
function encodeLatin1({ args: [text, encoding], fail, charge }: Call): Uint8Array {
  if (typeof text !== 'string' || encoding !== 'latin1')
    return fail('broken', 'it encodes a text in a way that is not known');
  charge(text.length);
  return Uint8Array.from(text, (character) => character.codePointAt(0) ?? 0);
}

/** One number of NumPy's. */
function readScalar({ args: [dtype, bytes], fail }: Call): PickleValue {
  const type = dtype instanceof PickleRecord ? dtype.args[0] : undefined;
  if (!(bytes instanceof Uint8Array)) return fail('broken', 'a number of NumPy’s has no bytes');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (type === 'f8' && view.byteLength === 8) return view.getFloat64(0, true);
  if (type === 'f4' && view.byteLength === 4) return view.getFloat32(0, true);
  if (type === 'i8' && view.byteLength === 8) return Number(view.getBigInt64(0, true));
  if (type === 'i4' && view.byteLength === 4) return view.getInt32(0, true);
  if (type === 'b1' && view.byteLength === 1) return view.getUint8(0) !== 0;
  return fail('broken', 'a number of NumPy’s is of a type that is not known');
}

function isCount(value: PickleValue | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isCounts(value: PickleValue | undefined): value is number[] {
  return Array.isArray(value) && value.length <= 64 && value.every(isCount);
}
