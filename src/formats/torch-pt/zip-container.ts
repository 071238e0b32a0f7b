import { crc32 } from 'node:zlib';
import { type Entry, fromBufferPromise, openPromise, type ZipFile } from 'yauzl';
import { MOST_PICKLE_BYTES, readStorageId, StorageTable, type TorchContainer } from './container.ts';
import { unpickle } from './pickle.ts';
import { type Fail, failIn } from './problems.ts';
import { TORCH_ELEMENT_BYTES, type TorchStorage } from './values.ts';

const STORED = 0;
const DEFLATED = 8;
/** What a file may unfold to beyond four times its size. PyTorch compresses nothing; people who pack a file again do. */
const UNPACKED_BYTES = 256 << 20;

/**
 * Opens what `torch.save` writes since PyTorch 1.6: a zip with one folder, in it `data.pkl` and a file `data/<key>` for each storage.
 * The pickle is read at once, a storage when it is asked for, each held against its checksum.
 *
 * @param source a path, or the file's bytes
 * @param sizeBytes of the file
 */
export async function openZipContainer(
  source: string | Uint8Array,
  sizeBytes: number,
  file: string,
): Promise<TorchContainer> {
  const fail = failIn(file);
  const options = { lazyEntries: true, autoClose: false } as const;
  const opened =
    typeof source === 'string' ? openPromise(source, options) : fromBufferPromise(asBuffer(source), options);
  const zip = await opened.catch((error: unknown) => failBroken(error, fail));
  try {
    const members = await listMembers(zip, fail);
    const unpacker = new Unpacker(zip, sizeBytes, file);
    const readText = async (name: string): Promise<string | undefined> => {
      const entry = members.get(name);
      return (
        entry &&
        Buffer.from(await unpacker.read(entry, name, 100))
          .toString('latin1')
          .trim()
      );
    };
    if (members.has('constants.pkl')) {
      fail('unsupported', 'this is a TorchScript program (torch.jit.save), no checkpoint of torch.save');
    }
    const order = await readText('byteorder'); // not written before PyTorch 2.1, and little-endian then
    if (order !== undefined && order !== 'little') {
      fail(
        'unsupported',
        `its numbers are ${order === 'big' ? 'big-endian' : `in byte order "${order}"`}; only little-endian ones are read`,
      );
    }
    const pickle = members.get('data.pkl');
    if (pickle === undefined)
      return fail('broken', 'it is a zip, but has no data.pkl, so it is not of torch.save');
    const storages = new StorageTable();
    const bytes = await unpacker.read(pickle, 'data.pkl', MOST_PICKLE_BYTES);
    const { value } = unpickle(bytes, 0, {
      fail: failIn(file, 'data.pkl'),
      load: (id, failHere) => {
        const found = readStorageId(id, failHere);
        if (found === undefined) return failHere('refused', 'it refers to something other than a storage');
        checkStorage(found.storage, members, failHere);
        return storages.unify(found.storage, failHere);
      },
    });
    return {
      format: 'zip',
      value,
      readStorage: (storage) => {
        const name = memberOf(storage);
        const entry = members.get(name) ?? fail('broken', `it has no ${name}`);
        return unpacker.read(entry, name, entry.uncompressedSize);
      },
      close: async () => zip.close(),
    };
  } catch (error) {
    zip.close();
    throw error;
  }
}

function memberOf({ key }: TorchStorage): string {
  return `data/${key}`;
}

function checkStorage(storage: TorchStorage, members: ReadonlyMap<string, Entry>, fail: Fail): void {
  const entry = members.get(memberOf(storage));
  if (entry === undefined) fail('broken', `it has no ${memberOf(storage)}, and a tensor needs it`);
  const bytes = storage.length * TORCH_ELEMENT_BYTES[storage.dtype];
  if (entry.uncompressedSize !== bytes) {
    fail(
      'broken',
      `${memberOf(storage)} has ${entry.uncompressedSize} bytes, and ${storage.length} of ${storage.dtype} take ${bytes}`,
    );
  }
}

/** The members by their names inside the zip's one folder. */
async function listMembers(zip: ZipFile, fail: Fail): Promise<Map<string, Entry>> {
  const members = new Map<string, Entry>();
  let folder: string | undefined;
  try {
    for await (const entry of zip.eachEntry()) {
      const slash = entry.fileName.indexOf('/');
      const name = entry.fileName.slice(slash + 1);
      if (name === '') continue; // an entry of the folder itself
      folder ??= entry.fileName.slice(0, slash + 1);
      if (slash < 1 || !entry.fileName.startsWith(folder)) {
        fail(
          'broken',
          `it has ${JSON.stringify(entry.fileName)} outside its one folder, so it is not of torch.save`,
        );
      }
      if (members.has(name)) fail('broken', `${JSON.stringify(entry.fileName)} is there twice`);
      members.set(name, entry);
    }
  } catch (error) {
    return failBroken(error, fail);
  }
  return members;
}

/** Reads members, and counts what comes of them. */
class Unpacker {
  readonly #zip: ZipFile;
  readonly #file: string;
  #leftBytes: number;

  constructor(zip: ZipFile, sizeBytes: number, file: string) {
    this.#zip = zip;
    this.#file = file;
    this.#leftBytes = 4 * sizeBytes + UNPACKED_BYTES;
  }

  async read(entry: Entry, name: string, mostBytes: number): Promise<Uint8Array> {
    const fail = failIn(this.#file, name);
    const size = entry.uncompressedSize;
    if (entry.isEncrypted()) fail('unsupported', 'it is encrypted');
    if (entry.compressionMethod !== STORED && entry.compressionMethod !== DEFLATED) {
      fail(
        'unsupported',
        `it is packed by method ${entry.compressionMethod}; stored (0) and deflated (8) are read`,
      );
    }
    if (size > mostBytes) fail('unsupported', `it has ${size} bytes; ${mostBytes} are allowed`);
    if (size > this.#leftBytes) fail('refused', 'the file unpacks to far more than its own size');
    this.#leftBytes -= size;
    const chunks: Uint8Array[] = [];
    let checksum = 0;
    try {
      for await (const chunk of await this.#zip.openReadStreamPromise(entry)) {
        checksum = crc32(chunk, checksum);
        chunks.push(chunk);
      }
    } catch (error) {
      return failBroken(error, fail);
    }
    if (checksum !== entry.crc32) fail('broken', 'its bytes do not fit the checksum in the zip');
    return new Uint8Array(Buffer.concat(chunks));
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Whatever yauzl has to say, it says of the file: that it is cut off, altered, or has a name that leaves the archive. */
function failBroken(error: unknown, fail: Fail): never {
  if (!(error instanceof Error) || error.name === 'ReproError') throw error;
  return fail('broken', `it is no whole zip (${error.message.split('\n', 1).join('')})`);
}
