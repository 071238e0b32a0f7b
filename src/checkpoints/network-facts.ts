import { ReproError } from '../errors.ts';
import { PickleRecord, type PickleValue } from '../formats/torch-pt.ts';
import type { Layer } from '../snn/spec.ts';
import { quoteName } from '../text.ts';
import {
  type ModuleLayer,
  type ModuleTree,
  numberOf,
  oneSize,
  readLayers,
  shortName,
} from './module-tree.ts';

/** What a network's modules say beyond its tensors. Only `claims`, and these empty, if only tensors were saved. */
export type NetworkFacts = Partial<ReturnType<typeof readSettings>> &
  Pick<ReturnType<typeof readSettings>, 'claims'>;

/** What it says about its training, under the original's names. */
const CLAIMS = ['epoch', 'train_times', 'max_val_accuracy', 'max_val_test_accuracy', 'max_test_accuracy'];

/**
 * Reads the settings of a network's modules.
 *
 * @throws {ReproError} `import-mixed` if layers differ in a setting that has one value per network here, `import-unknown` for
 *   a layer that no network here has
 */
export function readFacts(tree: ModuleTree | undefined, file: string): NetworkFacts {
  return tree === undefined ? { claims: {} } : readSettings(tree, file);
}

function readSettings(tree: ModuleTree, file: string) {
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
    commonValue(among, { what, read, file });
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
    detachReset: common('detach_reset', neurons, ({ attributes }) => {
      const value = attributes.get('detach_reset');
      return typeof value === 'boolean' ? value : undefined;
    }),
    surrogate: readSurrogate(neurons, file),
    dropout: common('p', of('dropout'), attribute('p')),
    /** Output neurons per class. */
    votes: common('kernel_size', of('vote'), ({ attributes }) =>
      numberOf(oneSize(attributes.get('kernel_size'))),
    ),
    /** T that it was trained with, and its initial τ. */
    steps: numberOf(net.get('T')),
    initialTau: numberOf(net.get('init_tau')),
    initialTauStd: numberOf(net.get('tau_std_dev')),
    claims,
  };
}

/** The surrogate of all neurons. Evaluation does not need it, so an unreadable one is ignored. */
function readSurrogate(neurons: readonly ModuleLayer[], file: string) {
  const read = (what: string, value: (surrogate: PickleRecord) => PickleValue) =>
    commonValue(neurons, { what: `surrogate_function’s ${what}`, read: surrogateOf(value), file });
  const className = read('class', (surrogate) => shortName(surrogate.className));
  if (typeof className !== 'string') return undefined;
  const learnable = read('alpha', (surrogate) => hasParameter(surrogate, 'alpha')) === true;
  const alpha = numberOf(read('alpha', (surrogate) => numberOf(surrogate.state.get('alpha')) ?? null));
  // A learned slope is one of the tensors.
  return { className, learnable, alpha: learnable ? undefined : alpha };
}

function surrogateOf(read: (surrogate: PickleRecord) => PickleValue) {
  return ({ attributes }: ModuleLayer): PickleValue => {
    const modules = attributes.get('_modules');
    const surrogate = modules instanceof Map ? modules.get('surrogate_function') : undefined;
    return surrogate instanceof PickleRecord ? read(surrogate) : null;
  };
}

function hasParameter({ state }: PickleRecord, name: string): boolean {
  const parameters = state.get('_parameters');
  return parameters instanceof Map && parameters.get(name) != null;
}

/** The value that all layers share. @throws {ReproError} `import-mixed` naming two that differ */
function commonValue<T>(
  layers: readonly ModuleLayer[],
  {
    what,
    read,
    file,
  }: { readonly what: string; readonly read: (layer: ModuleLayer) => T; readonly file: string },
): T | undefined {
  const [first] = layers;
  if (first === undefined) return undefined;
  const value = read(first);
  const other = layers.find((layer) => read(layer) !== value);
  if (other === undefined) return value;
  throw new ReproError(
    'import-mixed',
    `layers differ in ${what}: ${quoteName(first.path)} has ${show(value)}, ${quoteName(other.path)} has ${show(read(other))}.`,
    { where: file, fix: 'All layers of a network here share one value, so this one cannot be imported.' },
  );
}

function show(value: unknown): string {
  return typeof value === 'string' ? quoteName(value) : String(value);
}
