import { hasErrorCode, ReproError } from '../base/errors.ts';
import { openRegular } from '../base/files/regular-file.ts';
import {
  type Fail,
  failIn,
  gatherElements,
  type PickleValue,
  storageBytes,
  type TorchArray,
  type TorchTensor,
} from './torch-pt/values.ts';
import { openZipContainer } from './torch-pt/zip-container.ts';

export type { TorchArray } from './torch-pt/values.ts';
export {
  describeValue,
  PickleName,
  PickleRecord,
  type PickleValue,
  TorchStorage,
  TorchTensor,
  type TorchType,
} from './torch-pt/values.ts';

/**
 * The limit on bytes read from storages: a multiple of the file's size, because tensors may share a storage, plus a constant.
 * PyTorch does not compress, but people who repack a file may.
 */
const READ_FACTOR = 4;
const READ_BYTES = 256 << 20;

/** What `checkHead` looks at. */
const HEAD_BYTES = 300;

interface TorchFile {
  readonly value: PickleValue;
  /** @throws {ReproError} `torch-broken` if the bytes do not match their checksum */
  readTensor(tensor: TorchTensor): Promise<TorchArray>;
  close(): Promise<void>;
}

/**
 * Opens a file written by `torch.save` (of PyTorch 1.6 or later) and reads everything except the elements of its tensors, which are read on
 * demand: the optimiser in a checkpoint is twice as large as its network. Nothing in the file is run.
 *
 * @param source a path, or the file's bytes
 * @param file name for messages
 * @throws {ReproError} `torch-broken`, `torch-refused` (names what asks for more than plain values), `torch-unsupported`;
 *   `torch-missing` if there is no such file
 * @see docs/checkpoints.md for the format and what is refused
 */
export async function openTorchFile(
  source: string | Uint8Array,
  file = typeof source === 'string' ? source : 'file.pt',
): Promise<TorchFile> {
  const fail = failIn(file);
  const { head, sizeBytes } =
    typeof source === 'string'
      ? await readHead(source, file)
      : { head: Buffer.from(source.subarray(0, HEAD_BYTES)), sizeBytes: source.length };
  checkHead(head, fail);
  const container = await openZipContainer(source, file);
  let leftBytes = READ_FACTOR * sizeBytes + READ_BYTES;
  return {
    value: container.value,
    readTensor: async (tensor) => {
      leftBytes -= storageBytes(tensor.storage);
      if (leftBytes < 0) fail('refused', 'it expands to far more than its own size');
      return gatherElements(tensor, await container.readStorage(tensor.storage), fail);
    },
    close: container.close,
  };
}

const safetensorsFix = 'Give it a name that ends in .safetensors: import and evaluate read those too.';
const streamFix = 'Load it with PyTorch 1.6 or later and save it again with torch.save.';
const numpyFix =
  'If it comes from a training here, export a .safetensors instead. Otherwise load it with NumPy and save its arrays as a dictionary of tensors with torch.save.';

/** From a zip's first header: two bytes of length at 26, the name at 30. */
function nameOfFirstMember(head: Buffer): string {
  return head.length < 30 ? '' : head.subarray(30, 30 + head.readUInt16LE(26)).toString('latin1');
}

/** Recognises files that are clearly something else. */
function checkHead(head: Buffer, fail: Fail): void {
  const text = head.toString('latin1');
  if (head.length === 0) fail('broken', 'it is empty');
  if (/^\s*<(?:!doctype|html)/i.test(text))
    fail('broken', 'it is a web page, so the download did not fetch the file itself');
  if (text.startsWith('version https://git-lfs')) {
    fail('broken', 'it is a Git LFS pointer, not the file itself: run `git lfs pull`');
  }
  if (text.slice(257, 262) === 'ustar')
    fail('unsupported', 'it is a tar archive, as PyTorch wrote before version 0.1.10');
  // Eight bytes for the length of the header, then JSON.
  if (text.slice(4, 9) === '\0\0\0\0{') {
    fail('unsupported', 'it is a safetensors file, not one written by torch.save', undefined, safetensorsFix);
  }
  const isZip = text.startsWith('PK');
  const isArrays = isZip && nameOfFirstMember(head).endsWith('.npy');
  if (isArrays || text.startsWith('\x93NUMPY')) {
    fail(
      'unsupported',
      `it is a NumPy file (${isArrays ? '.npz' : '.npy'}), not one written by torch.save`,
      undefined,
      numpyFix,
    );
  }
  // The first byte of a pickle.
  if (head[0] === 0x80) {
    fail(
      'unsupported',
      'it is not a zip but a stream of pickles, as PyTorch wrote before version 1.6',
      0,
      streamFix,
    );
  }
  if (!isZip) fail('broken', 'expected a file written by torch.save: a zip', 0);
}

async function readHead(path: string, file: string): Promise<{ head: Buffer; sizeBytes: number }> {
  const missing = (problem: string, cause?: unknown): never => {
    throw new ReproError('torch-missing', problem, { where: file, cause });
  };
  const handle = await openRegular(path).catch((cause: unknown) => {
    if (hasErrorCode(cause, 'ENOENT', 'ENOTDIR')) return missing('no such file.', cause);
    if (hasErrorCode(cause, 'EACCES', 'EPERM'))
      return missing('you do not have permission to read this file.', cause);
    throw cause;
  });
  try {
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    return { head: buffer.subarray(0, bytesRead), sizeBytes: (await handle.stat()).size };
  } finally {
    await handle.close();
  }
}
