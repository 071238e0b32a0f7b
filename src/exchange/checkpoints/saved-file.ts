import { hasErrorCode, ReproError } from '../../base/errors.ts';
import { readRegular } from '../../base/files/regular-file.ts';
import { readSafetensorsArrays } from '../../formats/safetensors.ts';
import {
  describeValue,
  openTorchFile,
  type PickleRecord,
  type PickleValue,
  type TorchArray,
  TorchTensor,
} from '../../formats/torch-pt.ts';
import { isModule, type ModuleTree, readModuleTree } from './module-tree.ts';
import { isExported } from './self-description.ts';

/** A tensor whose elements are read when asked for. */
export interface SavedTensor {
  readonly shape: readonly number[];
  readonly read: () => TorchArray | Promise<TorchArray>;
}

/** An open file that holds a network's tensors, whatever its format. */
export interface SavedFile {
  readonly format: 'zip' | 'safetensors';
  /** By PyTorch's names. */
  readonly tensors: ReadonlyMap<string, SavedTensor>;
  /** The modules and the class (`models.DVS128GestureNet`), if a whole network was pickled. */
  readonly tree: ModuleTree | undefined;
  readonly className: string | undefined;
  readonly close: () => Promise<void>;
}

export const SAFETENSORS_NAME = /\.safetensors$/i;

/**
 * Opens a `.safetensors` file by its name, anything else as a file written by `torch.save`.
 *
 * @throws {ReproError} of `openTorchFile` or `readSafetensorsArrays`; `checkpoint-missing` if there is no such file,
 *   `import-unknown` if it holds no network, `import-needless` if it is an export
 */
export async function openSavedFile(file: string): Promise<SavedFile> {
  return SAFETENSORS_NAME.test(file) ? openSafetensors(file) : openTorch(file);
}

async function openTorch(file: string): Promise<SavedFile> {
  const torch = await openTorchFile(file);
  try {
    const { tensors, ...found } = findNetwork(torch.value, file);
    const readable = [...tensors].map(([name, tensor]): [string, SavedTensor] => [
      name,
      { shape: tensor.shape, read: () => torch.readTensor(tensor) },
    ]);
    return { ...found, format: 'zip', tensors: new Map(readable), close: () => torch.close() };
  } catch (error) {
    await torch.close();
    throw error;
  }
}

async function openSafetensors(file: string): Promise<SavedFile> {
  const bytes = await readRegular(file).catch((cause: unknown) => {
    if (!hasErrorCode(cause, 'ENOENT', 'ENOTDIR')) throw cause;
    throw new ReproError('checkpoint-missing', 'no such file.', { where: file, cause });
  });
  const { tensors, metadata } = readSafetensorsArrays(bytes, file);
  if (isExported(metadata)) {
    throw new ReproError('import-needless', 'its metadata already describe its network.', {
      where: file,
      fix: 'Use it as it is: `./repro evaluate FILE`.',
    });
  }
  const none = { tree: undefined, className: undefined };
  return { ...none, format: 'safetensors', tensors: unwrapNames(tensors), close: async () => {} };
}

/** The network found in a file written by torch.save. */
interface SavedNetwork extends Pick<SavedFile, 'tree' | 'className'> {
  readonly tensors: ReadonlyMap<string, TorchTensor>;
}

/** The keys under which a checkpoint may keep its network: the original's first, then other common ones. */
const NETWORK_KEYS = ['net', 'model', 'module', 'state_dict', 'model_state_dict', 'net_state_dict'] as const;

/** Wrappers that keep one network under the name `module`. */
const WRAPPERS = /^torch\.nn\.parallel\./;
const WRAPPED = 'module.';

/**
 * Finds the network in a saved object: a whole pickled module, its `state_dict`, or a dictionary that has either under a
 * common key.
 *
 * @throws {ReproError} `import-unknown` if there is none, saying what was found
 */
function findNetwork(value: PickleValue, file: string): SavedNetwork {
  const found = readNetwork(value, file) ?? readNetwork(innerOf(value), file);
  if (found !== undefined) return found;
  throw new ReproError('import-unknown', `expected a network, found ${describeValue(value)}.`, {
    where: file,
    fix: `Save the network itself, its state_dict, or a dictionary with either under one of: ${NETWORK_KEYS.join(', ')}.`,
  });
}

/** Removes the prefix that a wrapper such as DataParallel gives to every name. */
function unwrapNames<T>(tensors: ReadonlyMap<string, T>): ReadonlyMap<string, T> {
  return [...tensors.keys()].every((name) => name.startsWith(WRAPPED))
    ? new Map([...tensors].map(([name, tensor]) => [name.slice(WRAPPED.length), tensor]))
    : tensors;
}

function innerOf(value: PickleValue): PickleValue | undefined {
  if (!(value instanceof Map)) return undefined;
  const key = NETWORK_KEYS.find((name) => value.has(name));
  return key === undefined ? undefined : value.get(key);
}

function readNetwork(value: PickleValue | undefined, file: string): SavedNetwork | undefined {
  if (isModule(value)) {
    const network = unwrap(value);
    const tree = readModuleTree(network, file);
    const tensors = new Map([...tree.parameters, ...tree.buffers]);
    return { tensors, tree, className: network.className };
  }
  const tensors = readStateDict(value);
  return tensors && { tensors, tree: undefined, className: undefined };
}

/** The network inside a DataParallel. */
function unwrap(record: PickleRecord): PickleRecord {
  const modules = record.state.get('_modules');
  const inner = modules instanceof Map ? modules.get('module') : undefined;
  return WRAPPERS.test(record.className) && isModule(inner) ? inner : record;
}

function readStateDict(value: PickleValue | undefined): ReadonlyMap<string, TorchTensor> | undefined {
  if (!(value instanceof Map) || value.size === 0) return undefined;
  const tensors = new Map<string, TorchTensor>();
  for (const [name, tensor] of value) {
    if (typeof name !== 'string' || !(tensor instanceof TorchTensor)) return undefined;
    tensors.set(name, tensor);
  }
  return unwrapNames(tensors);
}
