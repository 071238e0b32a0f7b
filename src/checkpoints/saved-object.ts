import { ReproError } from '../errors.ts';
import { describeValue, type PickleRecord, type PickleValue, TorchTensor } from '../formats/torch-pt.ts';
import { isModule, type ModuleTree, readModuleTree } from './module-tree.ts';

/** What was found in a file of torch.save. */
export interface SavedNetwork {
  /** Tensors under the names of `state_dict`. */
  readonly tensors: ReadonlyMap<string, TorchTensor>;
  /** The modules, where a whole network was pickled, and its class: `models.DVS128GestureNet`. */
  readonly tree: ModuleTree | undefined;
  readonly className: string | undefined;
  /** `log_data_list` of the original's checkpoints. */
  readonly log: PickleValue | undefined;
}

/** Under what a checkpoint keeps its network: the original's name first, then those that are common. */
const NETWORK_KEYS = ['net', 'model', 'module', 'state_dict', 'model_state_dict', 'net_state_dict'] as const;

/** Wrappers that put one network under the name `module`. */
const WRAPPERS = /^torch\.nn\.parallel\./;

/**
 * Finds the network in what was saved: a whole pickled module, its `state_dict`, or a dictionary that has one of both under a usual name.
 *
 * @throws {ReproError} `import-unknown` if it is nothing of the kind, with what it is
 */
export function findNetwork(value: PickleValue, file: string): SavedNetwork {
  const log = value instanceof Map ? value.get('log_data_list') : undefined;
  const found = readNetwork(value, file) ?? readNetwork(innerOf(value), file);
  if (found !== undefined) return { ...found, log };
  throw new ReproError('import-unknown', `it holds ${describeContent(value)}, and no network.`, {
    where: file,
    fix: `A network is looked for as a pickled module, as a state_dict, or under ${NETWORK_KEYS.join(', ')} of a dictionary.`,
  });
}

function innerOf(value: PickleValue): PickleValue | undefined {
  if (!(value instanceof Map)) return undefined;
  const key = NETWORK_KEYS.find((name) => value.has(name));
  return key === undefined ? undefined : value.get(key);
}

function readNetwork(value: PickleValue | undefined, file: string): Omit<SavedNetwork, 'log'> | undefined {
  if (isModule(value)) {
    const network = unwrap(value);
    const tree = readModuleTree(network, file);
    const tensors = new Map([...tree.parameters, ...tree.buffers]);
    return { tensors, tree, className: network.className };
  }
  const tensors = readStateDict(value);
  return tensors && { tensors, tree: undefined, className: undefined };
}

/** The network in a DataParallel. */
function unwrap(record: PickleRecord): PickleRecord {
  const modules = record.state.get('_modules');
  const inner = modules instanceof Map ? modules.get('module') : undefined;
  return WRAPPERS.test(record.className) && isModule(inner) ? inner : record;
}

function readStateDict(value: PickleValue | undefined): Map<string, TorchTensor> | undefined {
  if (!(value instanceof Map) || value.size === 0) return undefined;
  const tensors = new Map<string, TorchTensor>();
  for (const [name, tensor] of value) {
    if (typeof name !== 'string' || !(tensor instanceof TorchTensor)) return undefined;
    tensors.set(name, tensor);
  }
  const isWrapped = [...tensors.keys()].every((name) => name.startsWith('module.'));
  return isWrapped
    ? new Map([...tensors].map(([name, tensor]) => [name.slice('module.'.length), tensor]))
    : tensors;
}

function describeContent(value: PickleValue): string {
  if (!(value instanceof Map)) return describeValue(value);
  return value.size === 0 ? 'an empty dictionary' : `${describeValue(value)} with ${listKeys(value)}`;
}

function listKeys(map: ReadonlyMap<PickleValue, PickleValue>): string {
  // Only texts are shown as they are: a tuple may hold itself, or be as long as a library.
  const keys = [...map.keys()]
    .slice(0, 8)
    .map((key) => (typeof key === 'string' ? JSON.stringify(key.slice(0, 60)) : describeValue(key)));
  return keys.join(', ') + (map.size > keys.length ? ', …' : '');
}
