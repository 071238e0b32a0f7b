import { ReproError } from '../errors.ts';
import { PickleRecord, type PickleValue, TorchTensor } from '../formats/torch-pt.ts';
import type { Layer } from '../snn/spec.ts';
import { escapeControls, quoteName } from '../text.ts';
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
    if (entries > MOST_ENTRIES) throw unknown(file, `its modules never end below ${quoteName(path)}`);
    return value;
  };
  const visit = (record: PickleRecord, path: string, depth: number): void => {
    if (depth > MOST_DEPTH || modules.length >= MOST_MODULES) {
      throw unknown(file, `its modules never end below ${quoteName(path)}`);
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

/** The parts of the original's networks, in the order they run. A network need not have all. */
const PARTS = ['static_conv', 'conv', 'fc', 'boost'] as const;

/** A layer of a pickled network. */
export interface ModuleLayer extends ModuleNode {
  readonly kind: Layer['kind'];
}

/** A finite number, or undefined. */
export function numberOf(value: PickleValue | undefined): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

/** PyTorch stores a size as one number, or as one per dimension. */
export function sizeOf(value: PickleValue | undefined): number | undefined {
  if (!Array.isArray(value)) return numberOf(value);
  return value.every((size) => size === value[0]) ? numberOf(value[0]) : undefined;
}

/**
 * The layers of a pickled network in the order they run.
 *
 * @throws {ReproError} `import-unknown` for a layer of another kind or with other settings: it would compute something else
 */
export function readLayers(tree: ModuleTree, file: string): ModuleLayer[] {
  const layers = PARTS.flatMap((part) => {
    const own = tree.modules.filter(({ path }) => path === part && isLayer(path, tree));
    const inside = tree.modules.filter(({ path }) => path.startsWith(`${part}.`) && isLayer(path, tree));
    return [...own, ...inside];
  });
  const known = new Set(layers.map(({ path }) => path.split('.', 1).join('')));
  const stranger = tree.modules.find(({ path }) => path !== '' && !known.has(path.split('.', 1).join('')));
  if (stranger !== undefined) {
    throw refuseLayer(file, stranger, `is not part of these networks (${PARTS.join(', ')})`);
  }
  return layers.map((node) => ({ ...node, kind: kindOf(node, file) }));
}

/** A module without submodules, apart from a neuron's surrogate function. */
function isLayer(path: string, tree: ModuleTree): boolean {
  if (path.endsWith('.surrogate_function')) return false;
  return !tree.modules.some(
    (other) => other.path.startsWith(`${path}.`) && !other.path.endsWith('.surrogate_function'),
  );
}

function kindOf(node: ModuleNode, file: string): Layer['kind'] {
  const { attributes, className } = node;
  const expect = (found: boolean, what: string): void => {
    if (!found) throw refuseLayer(file, node, `differs from these networks: ${what}`);
  };
  const size = (name: string): number | undefined => sizeOf(attributes.get(name));
  // A missing attribute did not exist yet in the PyTorch that saved it.
  const plain = (name: string, value: PickleValue, what: string): void =>
    expect(!attributes.has(name) || attributes.get(name) === value, what);
  if (attributes.has('v_threshold')) {
    expectKnownNeuron(node, expect);
    return 'neuron';
  }
  switch (className) {
    case 'Conv2d':
      expect(
        size('kernel_size') === 3 && size('padding') === 1 && size('stride') === 1,
        'expected a 3 x 3 kernel with padding 1 and stride 1',
      );
      expect(size('dilation') === 1 && size('groups') === 1, 'it is dilated or grouped');
      plain('padding_mode', 'zeros', 'its padding is not zeros');
      return 'conv';
    case 'BatchNorm2d':
      expect(numberOf(attributes.get('eps')) === 1e-5, 'its eps is not 1e-5');
      expect(attributes.get('track_running_stats') === true, 'it keeps no running statistics');
      return 'batch-norm';
    case 'MaxPool2d':
    case 'AvgPool2d':
      expect(
        size('kernel_size') === 2 && size('stride') === 2 && size('padding') === 0,
        'it does not pool 2 x 2',
      );
      expect((size('dilation') ?? 1) === 1, 'it is dilated');
      plain('ceil_mode', false, 'it rounds sizes up');
      plain('divisor_override', null, 'it overrides its divisor');
      return 'pool';
    case 'AvgPool1d':
      expect(
        size('kernel_size') !== undefined && size('kernel_size') === size('stride'),
        'its stride is not its size',
      );
      expect((size('padding') ?? 0) === 0, 'it pads');
      return 'vote';
    case 'Linear':
      return 'linear';
    case 'Flatten':
      plain('start_dim', 1, 'it does not flatten whole samples');
      return 'flatten';
    case 'Dropout':
      return 'dropout';
    default:
      throw refuseLayer(file, node, 'is of a kind that no network here has');
  }
}

/** Attributes of SpikingJelly's other neurons: quadratic and exponential integrate-and-fire, Izhikevich. */
const OTHER_NEURONS = ['a0', 'v_c', 'delta_T', 'theta_rh', 'v_rest', 'tau_w'];

/** Checks that a neuron integrates as PLIF and LIF do: `h = v + (x − (v − rest)) / τ`. */
function expectKnownNeuron({ attributes }: ModuleNode, expect: (found: boolean, what: string) => void): void {
  const parameters = attributes.get('_parameters');
  const learnsTau = parameters instanceof Map && parameters.has('w');
  expect(
    learnsTau || numberOf(attributes.get('tau')) !== undefined,
    'its neurons have neither a learned τ (w) nor a fixed one (tau)',
  );
  const other = OTHER_NEURONS.find((name) => attributes.has(name));
  expect(other === undefined, `its neurons have "${other}", which PLIF and LIF do not`);
  expect(attributes.get('decay_input') !== false, 'τ does not divide its input (decay_input is False)');
}

function refuseLayer(file: string, { path, className }: ModuleNode, what: string): ReproError {
  const layer = `layer ${quoteName(path)} (${escapeControls(className)})`;
  return new ReproError('import-unknown', `${layer} ${what}.`, { where: file, fix: IMPORTABLE });
}
