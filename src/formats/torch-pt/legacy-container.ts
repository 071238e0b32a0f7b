import {
  MOST_PICKLE_BYTES,
  readStorageId,
  type StorageTable,
  type TorchContainer,
  unifyStorage,
} from './container.ts';
import { unpickle } from './pickle.ts';
import { type Fail, failIn, PickleName, type PickleValue, sizeOf, type TorchStorage } from './values.ts';

/** Bytes with random access. */
export interface ByteSource {
  readonly sizeBytes: number;
  /** `length` bytes, or fewer at the end. */
  read(offset: number, length: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** The first pickle of the old format. */
const MAGIC = 0x1950a86a20f9469cfc6cn;
const PROTOCOL = 1001;
/** The number of elements before each storage. */
const LENGTH_BYTES = 8;

/**
 * Opens what `torch.save` wrote before PyTorch 1.6: five pickles in sequence (a magic number, the version of the format, facts
 * about the machine, the object, the names of its storages), then each storage in that order: its length as i64 and its
 * elements. There are no checksums, so altered elements go unnoticed.
 */
export async function openLegacyContainer(source: ByteSource, file: string): Promise<TorchContainer> {
  const fail = failIn(file);
  const bytes = await source.read(0, Math.min(source.sizeBytes, MOST_PICKLE_BYTES));
  const magic = unpickle(bytes, 0, { fail });
  if (magic.value !== MAGIC)
    fail('broken', 'it begins with a pickle, but not with torch.save’s magic number', 0);
  const protocol = unpickle(bytes, magic.end, { fail });
  if (protocol.value !== PROTOCOL)
    fail('unsupported', `its format has an unknown version, expected ${PROTOCOL}`, magic.end);
  const machine = unpickle(bytes, protocol.end, { fail });
  checkMachine(machine.value, fail, protocol.end);

  const storages = new Map<string, TorchStorage>();
  const content = unpickle(bytes, machine.end, {
    fail,
    load: (id, failHere) => {
      const className = readClassId(id);
      if (className !== undefined) return className;
      const found = readStorageId(id, failHere);
      if (found === undefined)
        return failHere('refused', 'it refers to something other than a storage or a class');
      if (found.rest.some((view) => view !== null)) {
        failHere('unsupported', 'a storage is a view of another, as PyTorch wrote them before 0.4');
      }
      return unifyStorage(storages, found.storage, failHere);
    },
  });
  const names = unpickle(bytes, content.end, { fail });
  const offsets = await locateStorages(source, names, storages, fail);
  return {
    format: 'legacy',
    value: content.value,
    readStorage: async (storage) => {
      const offset = offsets.get(storage) ?? fail('broken', `storage ${storage.key} is not in the file`);
      const elements = await source.read(offset, sizeOf(storage));
      if (elements.length < sizeOf(storage)) fail('broken', 'it became shorter while it was read');
      return elements;
    },
    close: () => source.close(),
  };
}

/** The sizes of C types do not matter here; the byte order does. */
function checkMachine(value: PickleValue, fail: Fail, offset: number): void {
  const isLittle = value instanceof Map ? value.get('little_endian') : undefined;
  if (typeof isLittle !== 'boolean')
    fail('broken', 'it does not state the byte order of its machine', offset);
  if (!isLittle) fail('unsupported', 'its numbers are big-endian; only little-endian ones are read', offset);
}

/** `('module', class, file, source)`: a class and its source, which is ignored. */
function readClassId(id: PickleValue): PickleName | undefined {
  if (!Array.isArray(id) || id[0] !== 'module') return undefined;
  return id[1] instanceof PickleName ? id[1] : undefined;
}

/** Where each storage's elements begin. @throws through `fail` if any are missing or of the wrong length */
async function locateStorages(
  source: ByteSource,
  names: { readonly value: PickleValue; readonly end: number },
  storages: StorageTable,
  fail: Fail,
): Promise<Map<TorchStorage, number>> {
  const offsets = new Map<TorchStorage, number>();
  let offset = names.end;
  for (const key of Array.isArray(names.value)
    ? names.value
    : fail('broken', 'it has no list of storages', names.end)) {
    const storage = typeof key === 'string' ? storages.get(key) : undefined;
    if (storage === undefined || offsets.has(storage)) {
      return fail('broken', 'its list of storages names one twice, or one that no tensor uses', names.end);
    }
    const head = await source.read(offset, LENGTH_BYTES);
    if (head.length < LENGTH_BYTES)
      return fail('broken', 'it ends before its last storage', source.sizeBytes);
    const length = new DataView(head.buffer, head.byteOffset).getBigInt64(0, true);
    if (length !== BigInt(storage.length)) {
      return fail(
        'broken',
        `storage ${storage.key} has ${length} elements, expected ${storage.length}`,
        offset,
      );
    }
    offsets.set(storage, offset + LENGTH_BYTES);
    offset += LENGTH_BYTES + sizeOf(storage);
    if (offset > source.sizeBytes)
      return fail('broken', `it ends inside storage ${storage.key}`, source.sizeBytes);
  }
  if (offsets.size !== storages.size) fail('broken', 'its list of storages is incomplete', names.end);
  return offsets;
}
