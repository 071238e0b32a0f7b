import { ReproError } from '../errors.ts';
import { PickleRecord, type PickleValue, TorchTensor } from '../formats/torch-pt.ts';
import { quoteName } from '../text.ts';
import { IMPORTABLE } from './answers.ts';

/** A PyTorch module inside a pickled network. */
export interface ModuleNode {
  /** `conv.2.surrogate_function`; empty for the network itself. */
  readonly path: string;
  /** Without its Python module: `PLIFNode`. */
  readonly className: string;
  readonly attributes: ReadonlyMap<PickleValue, PickleValue>;
}

/** A pickled network, listed as PyTorch's `named_modules` and `state_dict` do. */
export interface ModuleTree {
  readonly modules: readonly ModuleNode[];
  /** By their `state_dict` names. */
  readonly parameters: ReadonlyMap<string, TorchTensor>;
  readonly buffers: ReadonlyMap<string, TorchTensor>;
}

/** The original's networks have about 40 modules, three deep. Modules that contain each other must not unfold endlessly. */
const MOST_MODULES = 1000;
const MOST_DEPTH = 32;
/** Parameters, buffers and modules of all modules; the original's networks have about 100. */
const MOST_ENTRIES = 100_000;
const MOST_NAME_LENGTH = 100;

/** Whether a record is a module of PyTorch, whatever its class. */
export function isModule(value: PickleValue | undefined): value is PickleRecord {
  return value instanceof PickleRecord && value.state.get('_modules') instanceof Map;
}

/**
 * Walks a pickled network: its `_parameters`, `_buffers` and `_modules`, in their order.
 *
 * @throws {ReproError} `import-unknown` if modules contain themselves or are too many
 */
export function readModuleTree(root: PickleRecord, file: string): ModuleTree {
  const modules: ModuleNode[] = [];
  const parameters = new Map<string, TorchTensor>();
  const buffers = new Map<string, TorchTensor>();
  let entries = 0;
  const entriesOf = (value: PickleValue | undefined, path: string): Iterable<[PickleValue, PickleValue]> => {
    if (!(value instanceof Map)) return [];
    entries += value.size;
    if (entries > MOST_ENTRIES) throw unknown(file, `its modules go on endlessly below ${quoteName(path)}`);
    return value;
  };
  const visit = (record: PickleRecord, path: string, depth: number): void => {
    if (depth > MOST_DEPTH || modules.length >= MOST_MODULES) {
      throw unknown(file, `its modules go on endlessly below ${quoteName(path)}`);
    }
    const attributes = record.state;
    modules.push({ path, className: shortName(record.className), attributes });
    const below = (name: PickleValue): string => {
      if (typeof name !== 'string' || name.length > MOST_NAME_LENGTH) {
        throw unknown(file, `module ${quoteName(path)} holds something whose name is missing or too long`);
      }
      return path === '' ? name : `${path}.${name}`;
    };
    for (const [name, value] of entriesOf(attributes.get('_parameters'), path)) {
      if (value instanceof TorchTensor) parameters.set(below(name), value);
    }
    const passing = attributes.get('_non_persistent_buffers_set');
    for (const [name, value] of entriesOf(attributes.get('_buffers'), path)) {
      const isKept = !(passing instanceof Set && passing.has(name));
      if (value instanceof TorchTensor && isKept) buffers.set(below(name), value);
    }
    for (const [name, value] of entriesOf(attributes.get('_modules'), path)) {
      if (isModule(value)) visit(value, below(name), depth + 1);
    }
  };
  visit(root, '', 0);
  return { modules, parameters, buffers };
}

/** `models.PLIFNode` -> `PLIFNode` */
export function shortName(className: string): string {
  return className.slice(className.lastIndexOf('.') + 1);
}

function unknown(file: string, problem: string): ReproError {
  return new ReproError('import-unknown', `${problem}.`, {
    where: file,
    fix: IMPORTABLE,
  });
}
