import { storageType } from './globals.ts';
import type { Fail } from './problems.ts';
import { describeValue, PickleName, type PickleValue, TorchStorage, type TorchType } from './values.ts';

/** The longest pickle that is read: one with the log of 1,256 epochs has 1 MB. */
export const MOST_PICKLE_BYTES = 64 << 20;

/** What a file of either format is once its pickle is read. */
export interface TorchContainer {
  readonly format: 'zip' | 'legacy';
  readonly value: PickleValue;
  readStorage(storage: TorchStorage): Promise<Uint8Array>;
  close(): Promise<void>;
}

/**
 * The start of a storage's persistent id: `('storage', torch.FloatStorage, '0', 'cpu', 1024, …)`. The device is of no interest.
 *
 * @returns undefined where the id is of something else
 */
export function readStorageId(
  id: PickleValue,
  fail: Fail,
): { readonly storage: TorchStorage; readonly rest: readonly PickleValue[] } | undefined {
  if (!Array.isArray(id) || id[0] !== 'storage') return undefined;
  const [, type, key, , length, ...rest] = id;
  const dtype = type instanceof PickleName ? storageType(type.name) : undefined;
  if (dtype === undefined) return fail('unsupported', `a storage of type ${describeValue(type)}`);
  const isLength = typeof length === 'number' && Number.isSafeInteger(length) && length >= 0;
  if (typeof key !== 'string' || !/^\d{1,20}$/.test(key) || !isLength) {
    return fail('broken', 'a storage has no name or no length');
  }
  return { storage: new TorchStorage(key, dtype, length), rest };
}

/** One object for each storage, so that tensors that share one share it here too. */
export class StorageTable {
  readonly #storages = new Map<string, TorchStorage>();

  /** The storage of this name that is known already, or this one. */
  unify(storage: TorchStorage, fail: Fail): TorchStorage {
    const known = this.#storages.get(storage.key);
    if (known === undefined) {
      this.#storages.set(storage.key, storage);
      return storage;
    }
    if (known.dtype !== storage.dtype || known.length !== storage.length) {
      fail('broken', `storage ${storage.key} is said to be ${describe(known)} and also ${describe(storage)}`);
    }
    return known;
  }

  get(key: string): TorchStorage | undefined {
    return this.#storages.get(key);
  }

  get size(): number {
    return this.#storages.size;
  }
}

function describe({ length, dtype }: { length: number; dtype: TorchType }): string {
  return `${length} of ${dtype}`;
}
