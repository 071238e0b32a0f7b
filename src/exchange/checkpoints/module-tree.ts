import { ReproError } from '../../base/errors.ts';
import { escapeControls, quoteName } from '../../base/text.ts';
import { describeValue, PickleRecord, type PickleValue, TorchTensor } from '../../formats/torch-pt.ts';
import type { Layer } from '../../network/spec.ts';

/** The fix for a network that cannot be imported. */
export const IMPORTABLE = 'docs/checkpoints.md describes the networks that can be imported.';

/** A PyTorch module inside a pickled network. */
interface ModuleNode {
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

/**
 * Parameters, buffers and modules of all modules: the original's networks have about 100. Modules that contain each other must not unfold
 * endlessly.
 */
const MOST_ENTRIES = 2000;
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
  const visit = (record: PickleRecord, path: string): void => {
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
      if (isModule(value)) visit(value, below(name));
    }
  };
  visit(root, '');
  return { modules, parameters, buffers };
}

/** `models.PLIFNode` -> `PLIFNode` */
function shortName(className: string): string {
  return className.slice(className.lastIndexOf('.') + 1);
}

function unknown(file: string, problem: string): ReproError {
  return new ReproError('import-unknown', `${problem}.`, { where: file, fix: IMPORTABLE });
}

/** The parts of the original's networks, in the order they run. A network need not have all. */
const PARTS = ['static_conv', 'conv', 'fc', 'boost'] as const;

/** A layer of a pickled network. */
interface ModuleLayer extends ModuleNode {
  readonly kind: Layer['kind'];
}

/** A finite number, or undefined. */
function numberOf(value: PickleValue | undefined): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

/** PyTorch stores a size as one number, or as one per dimension. */
function oneSize(value: PickleValue | undefined): PickleValue | undefined {
  return Array.isArray(value) && value.every((size) => size === value[0]) ? value[0] : value;
}

/** The layers of the networks here, by class, with the settings that they must have. */
const LAYERS: Readonly<
  Record<string, { readonly kind: Layer['kind']; readonly settings: Readonly<Record<string, PickleValue>> }>
> = {
  Conv2d: {
    kind: 'conv',
    settings: { kernel_size: 3, padding: 1, stride: 1, dilation: 1, groups: 1, padding_mode: 'zeros' },
  },
  BatchNorm2d: { kind: 'batch-norm', settings: { eps: 1e-5, track_running_stats: true } },
  MaxPool2d: {
    kind: 'pool',
    settings: { kernel_size: 2, stride: 2, padding: 0, dilation: 1, ceil_mode: false },
  },
  AvgPool2d: {
    kind: 'pool',
    settings: { kernel_size: 2, stride: 2, padding: 0, ceil_mode: false, divisor_override: null },
  },
  AvgPool1d: { kind: 'vote', settings: { padding: 0 } },
  Linear: { kind: 'linear', settings: {} },
  Flatten: { kind: 'flatten', settings: { start_dim: 1 } },
  Dropout: { kind: 'dropout', settings: {} },
};

/** Attributes of SpikingJelly's other neurons: quadratic and exponential integrate-and-fire, Izhikevich. */
const OTHER_NEURONS = ['a0', 'v_c', 'delta_T', 'theta_rh', 'v_rest', 'tau_w'];

/**
 * The layers of a pickled network in the order they run.
 *
 * @throws {ReproError} `import-unknown` for a layer of another kind or with other settings: it would compute something else
 */
export function readLayers(tree: ModuleTree, file: string): ModuleLayer[] {
  const partOf = ({ path }: ModuleNode): string => path.split('.', 1).join('');
  const leaves = tree.modules.filter(({ path }) => path !== '' && isLayer(path, tree));
  const layers = PARTS.flatMap((part) => leaves.filter((node) => partOf(node) === part));
  const known = new Set(layers.map(partOf));
  const stranger = tree.modules.find((node) => node.path !== '' && !known.has(partOf(node)));
  if (stranger !== undefined) {
    throw refuseLayer(file, stranger, `is not part of these networks (${PARTS.join(', ')})`);
  }
  return layers.map((node) => ({ ...node, kind: kindOf(node, file) }));
}

/** A module without submodules, apart from a neuron's surrogate function. */
function isLayer(path: string, { modules }: ModuleTree): boolean {
  const isSurrogate = (one: string): boolean => one.endsWith('.surrogate_function');
  return (
    !isSurrogate(path) && modules.every((one) => !one.path.startsWith(`${path}.`) || isSurrogate(one.path))
  );
}

function kindOf(node: ModuleNode, file: string): Layer['kind'] {
  const { attributes, className } = node;
  const differ = (what: string): never => {
    throw refuseLayer(file, node, `differs from these networks: ${what}`);
  };
  if (attributes.has('v_threshold')) {
    // It must integrate as PLIF and LIF do: h = v + (x − (v − rest)) / τ.
    const parameters = attributes.get('_parameters');
    const learnsTau = parameters instanceof Map && parameters.has('w');
    if (!learnsTau && numberOf(attributes.get('tau')) === undefined)
      differ('its neurons have neither a learned τ (w) nor a fixed one (tau)');
    const other = OTHER_NEURONS.find((name) => attributes.has(name));
    if (other !== undefined) differ(`its neurons have "${other}", which PLIF and LIF do not`);
    if (attributes.get('decay_input') === false) differ('τ does not divide its input (decay_input is False)');
    return 'neuron';
  }
  const layer = Object.hasOwn(LAYERS, className) ? LAYERS[className] : undefined;
  if (layer === undefined) throw refuseLayer(file, node, 'is of a kind that no network here has');
  for (const [name, expected] of Object.entries(layer.settings)) {
    // A missing attribute did not exist yet in the PyTorch that saved it.
    const found = oneSize(attributes.get(name)) ?? null;
    if (attributes.has(name) && found !== expected) {
      differ(`its ${name} is ${show(found)}, expected ${show(expected)}`);
    }
  }
  if (layer.kind === 'vote' && oneSize(attributes.get('kernel_size')) !== oneSize(attributes.get('stride')))
    differ('its stride is not its kernel_size');
  return layer.kind;
}

function show(value: PickleValue): string {
  if (typeof value === 'string') return quoteName(value);
  return typeof value === 'number' ? String(value) : describeValue(value);
}

function refuseLayer(file: string, { path, className }: ModuleNode, what: string): ReproError {
  return unknown(file, `layer ${quoteName(path)} (${escapeControls(className)}) ${what}`);
}

/** What a network's modules say beyond its tensors. Only `claims`, and these empty, if only tensors were saved. */
export type NetworkFacts = Partial<ReturnType<typeof readFacts>> &
  Pick<ReturnType<typeof readFacts>, 'claims'>;

/** What it says about its training, under the original's names. */
const CLAIMS = ['epoch', 'train_times', 'max_val_accuracy', 'max_val_test_accuracy', 'max_test_accuracy'];

/**
 * Reads the settings of a network's modules.
 *
 * @throws {ReproError} `import-mixed` if layers differ in a setting that has one value per network here, `import-unknown` for
 *   a layer that no network here has
 */
export function readFacts(tree: ModuleTree, file: string) {
  const layers = readLayers(tree, file);
  const net = tree.modules[0]?.attributes ?? new Map<PickleValue, PickleValue>();
  const claims: Record<string, number> = {};
  for (const name of CLAIMS) {
    const value = numberOf(net.get(name));
    if (value !== undefined) claims[name] = value;
  }
  const neurons = layers.filter(({ kind }) => kind === 'neuron');
  const of = (kind: Layer['kind']): ModuleLayer[] => layers.filter((layer) => layer.kind === kind);
  const common = <T>(what: string, among: readonly ModuleLayer[], read: (layer: ModuleLayer) => T) =>
    commonValue(among, what, read, file);
  const attribute = (name: string) => (layer: ModuleLayer) => numberOf(layer.attributes.get(name));
  return {
    /** Kinds of its layers, in the order they run. */
    layers: layers.map(({ kind }) => kind),
    pooling: common('kind', of('pool'), ({ className }) =>
      className === 'MaxPool2d' ? ('max' as const) : ('average' as const),
    ),
    /** τ of LIF neurons, in time steps. */
    fixedTau: common('tau', neurons, attribute('tau')),
    threshold: common('v_threshold', neurons, attribute('v_threshold')),
    /** Null for a soft reset. */
    resetPotential: common('v_reset', neurons, ({ attributes }) => {
      const value = attributes.get('v_reset');
      return value === null ? null : numberOf(value);
    }),
    /** Whether the slope of the surrogate is learned: then it is one of the tensors. */
    learnsSlope: [...tree.parameters.keys()].some((name) => name.endsWith('.surrogate_function.alpha')),
    /** Output neurons per class. */
    votes: common('kernel_size', of('vote'), ({ attributes }) =>
      numberOf(oneSize(attributes.get('kernel_size'))),
    ),
    /** T that it was trained with. */
    steps: numberOf(net.get('T')),
    claims,
  };
}

/** The value that all layers share. @throws {ReproError} `import-mixed` naming two that differ */
function commonValue<T>(
  layers: readonly ModuleLayer[],
  what: string,
  read: (layer: ModuleLayer) => T,
  file: string,
): T | undefined {
  const [first] = layers;
  if (first === undefined) return undefined;
  const value = read(first);
  const other = layers.find((layer) => read(layer) !== value);
  if (other === undefined) return value;
  throw new ReproError(
    'import-mixed',
    `layers differ in ${what}: ${quoteName(first.path)} has ${showShared(value)}, ${quoteName(other.path)} has ${showShared(read(other))}.`,
    { where: file, fix: 'All layers of a network here share one value, so this one cannot be imported.' },
  );
}

function showShared(value: unknown): string {
  return typeof value === 'string' ? quoteName(value) : String(value);
}
