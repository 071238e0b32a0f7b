import { storageType } from './globals.ts';
import { describeValue, type Fail, PickleName, type PickleValue, TorchStorage } from './values.ts';

/** The longest pickle that is read; with the log of 1,256 epochs it has 1 MB. */
export const MOST_PICKLE_BYTES = 64 << 20;

/** A file in either format after its pickle is read. */
export interface TorchContainer {
  readonly format: 'zip' | 'legacy';
  readonly value: PickleValue;
  readStorage(storage: TorchStorage): Promise<Uint8Array>;
  close(): Promise<void>;
}

/**
 * Reads a storage's persistent id: `('storage', torch.FloatStorage, '0', 'cpu', 1024, …)`. The device does not matter.
 *
 * @returns undefined if the id refers to something else
 */
export function readStorageId(
  id: PickleValue,
  fail: Fail,
): { readonly storage: TorchStorage; readonly rest: readonly PickleValue[] } | undefined {
  if (!Array.isArray(id) || id[0] !== 'storage') return undefined;
  const [, type, key, , length, ...rest] = id;
  const dtype = type instanceof PickleName ? storageType(type.name) : undefined;
  if (dtype === undefined)
    return fail('unsupported', `expected a storage of a known type, found ${describeValue(type)}`);
  const isLength = typeof length === 'number' && Number.isSafeInteger(length) && length >= 0;
  if (typeof key !== 'string' || !/^\d{1,20}$/.test(key) || !isLength) {
    return fail('broken', 'a storage has no valid name or length');
  }
  return { storage: new TorchStorage(key, dtype, length), rest };
}

/** One object per storage, by its name, so that tensors that share a storage share it here too. */
export type StorageTable = Map<string, TorchStorage>;

/** The storage already known by its name, or this one. */
export function unifyStorage(storages: StorageTable, storage: TorchStorage, fail: Fail): TorchStorage {
  const known = storages.get(storage.key) ?? storage;
  storages.set(storage.key, known);
  if (known.dtype !== storage.dtype || known.length !== storage.length) {
    const [one, other] = [known, storage].map(({ dtype, length }) => `${dtype} [${length}]`);
    fail('broken', `storage ${storage.key} is described as ${one} and as ${other}`);
  }
  return known;
}
