import { crc32 } from 'node:zlib';
import { type Entry, fromBufferPromise, type ZipFile } from 'yauzl';
import { openZip } from '../../base/files/zip-file.ts';
import { storageType } from './globals.ts';
import { unpickle } from './pickle.ts';
import {
  describeValue,
  type Fail,
  failIn,
  PickleName,
  type PickleValue,
  storageBytes,
  TorchStorage,
} from './values.ts';

const STORED = 0;
const DEFLATED = 8;
/** Members that hold one word: `little`, `3`. */
const MOST_WORD_BYTES = 100;
/** The longest pickle that is read; with the log of 1,256 epochs it has 1 MB. */
const MOST_PICKLE_BYTES = 64 << 20;

/** A file after its pickle is read. */
interface TorchContainer {
  readonly value: PickleValue;
  readStorage(storage: TorchStorage): Promise<Uint8Array>;
  close(): Promise<void>;
}

/**
 * Opens what `torch.save` writes since PyTorch 1.6: a zip with one folder that holds `data.pkl` and a file `data/<key>` per
 * storage. The pickle is read at once, storages on demand; each is checked against its checksum.
 *
 * @param source a path, or the file's bytes
 */
export async function openZipContainer(source: string | Uint8Array, file: string): Promise<TorchContainer> {
  const fail = failIn(file);
  const opened = typeof source === 'string' ? openZip(source) : fromBufferPromise(asBuffer(source));
  const zip = await opened.catch((error: unknown) => failBroken(error, fail));
  try {
    const members = await listMembers(zip, fail);
    const read = async (name: string, mostBytes: number): Promise<Uint8Array | undefined> => {
      const entry = members.get(name);
      return entry && readMember(zip, entry, { name, mostBytes, file });
    };
    if (members.has('constants.pkl')) {
      fail('unsupported', 'it is a TorchScript program (torch.jit.save), not a checkpoint (torch.save)');
    }
    checkByteOrder(await read('byteorder', MOST_WORD_BYTES), fail);
    const bytes = await read('data.pkl', MOST_PICKLE_BYTES);
    if (bytes === undefined)
      return fail('broken', 'it is a zip without a data.pkl, so torch.save did not write it');
    // By name: tensors that share a storage share one object here too.
    const storages = new Map<string, TorchStorage>();
    const value = unpickle(bytes, failIn(file, 'data.pkl'), (id, failHere) => {
      const storage = readStorageId(id, failHere);
      checkStorage(storage, members, failHere);
      return unifyStorage(storages, storage, failHere);
    });
    return {
      value,
      readStorage: async (storage) => {
        const name = memberOf(storage);
        return (await read(name, storageBytes(storage))) ?? fail('broken', `it has no ${name}`);
      },
      close: async () => zip.close(),
    };
  } catch (error) {
    zip.close();
    throw error;
  }
}

/** PyTorch before 2.1 did not write it, and hardly ever ran on big-endian machines. */
function checkByteOrder(bytes: Uint8Array | undefined, fail: Fail): void {
  if (bytes === undefined) return;
  const order = Buffer.from(bytes).toString('latin1').trim();
  if (order === 'little') return;
  const shown = order === 'big' ? 'big-endian' : `in byte order ${JSON.stringify(order)}`;
  fail('unsupported', `its numbers are ${shown}; only little-endian ones are read`);
}

/** Reads a persistent id: `('storage', torch.FloatStorage, '0', 'cpu', 1024, …)`. The device does not matter. */
function readStorageId(id: PickleValue, fail: Fail): TorchStorage {
  if (!Array.isArray(id) || id[0] !== 'storage')
    return fail('refused', 'it refers to something other than a storage');
  const [, type, key, , length] = id;
  const dtype = type instanceof PickleName ? storageType(type.name) : undefined;
  if (dtype === undefined)
    return fail('unsupported', `expected a storage of a known type, found ${describeValue(type)}`);
  const isLength = typeof length === 'number' && Number.isSafeInteger(length) && length >= 0;
  if (typeof key !== 'string' || !/^\d{1,20}$/.test(key) || !isLength) {
    return fail('broken', 'a storage has no valid name or length');
  }
  return new TorchStorage(key, dtype, length);
}

/** The storage already known by its name, or this one. */
function unifyStorage(storages: Map<string, TorchStorage>, storage: TorchStorage, fail: Fail): TorchStorage {
  const known = storages.get(storage.key) ?? storage;
  storages.set(storage.key, known);
  if (known.dtype !== storage.dtype || known.length !== storage.length) {
    const [one, other] = [known, storage].map(({ dtype, length }) => `${dtype} [${length}]`);
    fail('broken', `storage ${storage.key} is described as ${one} and as ${other}`);
  }
  return known;
}

function memberOf({ key }: TorchStorage): string {
  return `data/${key}`;
}

function checkStorage(storage: TorchStorage, members: ReadonlyMap<string, Entry>, fail: Fail): void {
  const entry = members.get(memberOf(storage));
  if (entry === undefined) fail('broken', `it has no ${memberOf(storage)}, which a tensor needs`);
  const bytes = storageBytes(storage);
  if (entry.uncompressedSize !== bytes) {
    fail(
      'broken',
      `${memberOf(storage)} has ${entry.uncompressedSize} bytes, but ${storage.length} elements of ${storage.dtype} take ${bytes}`,
    );
  }
}

/** The members by their names inside the zip's single folder. */
async function listMembers(zip: ZipFile, fail: Fail): Promise<Map<string, Entry>> {
  const members = new Map<string, Entry>();
  let folder: string | undefined;
  try {
    for await (const entry of zip.eachEntry()) {
      const slash = entry.fileName.indexOf('/');
      const name = entry.fileName.slice(slash + 1);
      if (name === '') continue; // the folder itself
      folder ??= entry.fileName.slice(0, slash + 1);
      if (slash < 1 || !entry.fileName.startsWith(folder)) {
        fail(
          'broken',
          `it has ${JSON.stringify(entry.fileName)} outside its single folder, so torch.save did not write it`,
        );
      }
      if (members.has(name)) fail('broken', `it has ${JSON.stringify(entry.fileName)} twice`);
      members.set(name, entry);
    }
  } catch (error) {
    return failBroken(error, fail);
  }
  return members;
}

/** Unpacks a member of at most `mostBytes`. */
async function readMember(
  zip: ZipFile,
  entry: Entry,
  { name, mostBytes, file }: { readonly name: string; readonly mostBytes: number; readonly file: string },
): Promise<Uint8Array> {
  const fail = failIn(file, name);
  const { compressionMethod, uncompressedSize } = entry;
  if (entry.isEncrypted()) fail('unsupported', 'it is encrypted');
  if (compressionMethod !== STORED && compressionMethod !== DEFLATED) {
    fail(
      'unsupported',
      `it is compressed with method ${compressionMethod}; only stored (0) and deflated (8) are read`,
    );
  }
  if (uncompressedSize > mostBytes) {
    fail('unsupported', `it has ${uncompressedSize} bytes; at most ${mostBytes} are allowed`);
  }
  const chunks: Uint8Array[] = [];
  let checksum = 0;
  try {
    // yauzl makes sure that a member yields no more than its claimed size.
    for await (const chunk of await zip.openReadStreamPromise(entry)) {
      checksum = crc32(chunk, checksum);
      chunks.push(chunk);
    }
  } catch (error) {
    return failBroken(error, fail);
  }
  if (checksum !== entry.crc32) fail('broken', 'its bytes do not match the checksum in the zip');
  return new Uint8Array(Buffer.concat(chunks));
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** yauzl's errors are about the file: truncated, altered, or with a name that leaves the archive. */
function failBroken(error: unknown, fail: Fail): never {
  if (!(error instanceof Error) || error.name === 'ReproError') throw error;
  return fail('broken', `it is not a valid zip: ${error.message.split('\n', 1).join('')}`);
}
