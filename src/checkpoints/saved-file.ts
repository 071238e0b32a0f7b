import { hasErrorCode, ReproError } from '../errors.ts';
import { readRegular } from '../files/regular-file.ts';
import { readSafetensorsArrays } from '../formats/safetensors-arrays.ts';
import { openTorchFile, type PickleValue, type TorchArray } from '../formats/torch-pt.ts';
import { isExported } from './export-metadata.ts';
import type { ModuleTree } from './module-tree.ts';
import { findNetwork, unwrapNames } from './saved-object.ts';

/** A tensor whose elements are read when asked for. */
export interface SavedTensor {
  readonly shape: readonly number[];
  readonly read: () => TorchArray | Promise<TorchArray>;
}

/** An open file that holds a network's tensors, whatever its format. */
export interface SavedFile {
  readonly format: 'zip' | 'legacy' | 'safetensors';
  /** By PyTorch's names. */
  readonly tensors: ReadonlyMap<string, SavedTensor>;
  /** The modules and the class, if a whole network was pickled. */
  readonly tree: ModuleTree | undefined;
  readonly className: string | undefined;
  /** `log_data_list` of the original's checkpoints. */
  readonly log: PickleValue | undefined;
  readonly close: () => Promise<void>;
}

export const SAFETENSORS_NAME = /\.safetensors$/i;

/**
 * Opens a `.safetensors` file by its name, anything else as a file written by `torch.save`.
 *
 * @param file name for messages
 * @throws {ReproError} of `openTorchFile` or `readSafetensorsArrays`; `checkpoint-missing` if there is no such file,
 *   `import-unknown` if it holds no network, `import-needless` if it is an export
 */
export async function openSavedFile(path: string, file: string): Promise<SavedFile> {
  return SAFETENSORS_NAME.test(path) ? openSafetensors(path, file) : openTorch(path, file);
}

async function openTorch(path: string, file: string): Promise<SavedFile> {
  const torch = await openTorchFile(path, file);
  try {
    const { tensors, ...found } = findNetwork(torch.value, file);
    const readable = [...tensors].map(([name, tensor]): [string, SavedTensor] => [
      name,
      { shape: tensor.shape, read: () => torch.readTensor(tensor) },
    ]);
    return { ...found, format: torch.format, tensors: new Map(readable), close: () => torch.close() };
  } catch (error) {
    await torch.close();
    throw error;
  }
}

async function openSafetensors(path: string, file: string): Promise<SavedFile> {
  const bytes = await readRegular(path).catch((cause: unknown) => {
    if (!hasErrorCode(cause, 'ENOENT', 'ENOTDIR')) throw cause;
    throw new ReproError('checkpoint-missing', 'no such file.', { where: file, cause });
  });
  const { tensors, metadata } = readSafetensorsArrays(bytes, file);
  if (isExported(metadata)) {
    throw new ReproError('import-needless', 'its metadata already describe its network.', {
      where: file,
      fix: 'Use it as it is: `repro evaluate FILE`.',
    });
  }
  return {
    format: 'safetensors',
    tensors: unwrapNames(tensors),
    tree: undefined,
    className: undefined,
    log: undefined,
    close: async () => {},
  };
}
