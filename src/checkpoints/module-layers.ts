import { ReproError } from '../errors.ts';
import type { PickleValue } from '../formats/torch-pt.ts';
import type { Layer } from '../snn/spec.ts';
import type { ModuleNode, ModuleTree } from './module-tree.ts';

/** The parts of the original's networks in the order in which they run; a network has some of them. */
const PARTS = ['static_conv', 'conv', 'fc', 'boost'] as const;

/** A layer of a pickled network. */
export interface ModuleLayer extends ModuleNode {
  readonly kind: Layer['kind'];
}

/** Reads a number or text of a module's attributes; what is neither is undefined. */
export function numberOf(value: PickleValue | undefined): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

/** PyTorch keeps sizes as a number or as one for each dimension. */
export function sizeOf(value: PickleValue | undefined): number | undefined {
  if (!Array.isArray(value)) return numberOf(value);
  return value.every((size) => size === value[0]) ? numberOf(value[0]) : undefined;
}

/**
 * The layers of a pickled network in the order in which they run.
 *
 * @throws {ReproError} `import-unknown` for a layer that no network here has, or of other settings: it would compute something else
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
    throw unknown(file, stranger, `is no part of these networks, whose parts are ${PARTS.join(', ')}`);
  }
  return layers.map((node) => ({ ...node, kind: kindOf(node, file) }));
}

/** A module without modules in it, but for the surrogate function of a neuron. */
function isLayer(path: string, tree: ModuleTree): boolean {
  if (path.endsWith('.surrogate_function')) return false;
  return !tree.modules.some(
    (other) => other.path.startsWith(`${path}.`) && !other.path.endsWith('.surrogate_function'),
  );
}

function kindOf(node: ModuleNode, file: string): Layer['kind'] {
  const { attributes, className } = node;
  const expect = (found: boolean, what: string): void => {
    if (!found) throw unknown(file, node, `is not as in these networks: ${what}`);
  };
  const size = (name: string): number | undefined => sizeOf(attributes.get(name));
  // An attribute that is not there is one that its PyTorch did not know yet.
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
        'its kernel is not 3 x 3 with a padding of 1',
      );
      expect(size('dilation') === 1 && size('groups') === 1, 'it is dilated or in groups');
      plain('padding_mode', 'zeros', 'it pads with something other than zeros');
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
      plain('divisor_override', null, 'it divides by a number of its own');
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
      plain('start_dim', 1, 'it flattens something other than all of a sample');
      return 'flatten';
    case 'Dropout':
      return 'dropout';
    default:
      throw unknown(file, node, 'is of a kind that no network here has');
  }
}

/** What the other neurons of SpikingJelly have beside τ: quadratic and exponential integrate-and-fire, Izhikevich's. */
const OTHER_NEURONS = ['a0', 'v_c', 'delta_T', 'theta_rh', 'v_rest', 'tau_w'];

/** Whether a neuron integrates as PLIF and LIF do: `h = v + (x − (v − rest)) / τ`. */
function expectKnownNeuron({ attributes }: ModuleNode, expect: (found: boolean, what: string) => void): void {
  const parameters = attributes.get('_parameters');
  const learnsTau = parameters instanceof Map && parameters.has('w');
  expect(
    learnsTau || numberOf(attributes.get('tau')) !== undefined,
    'its neurons have no τ, neither a learned one (w) nor a fixed one (tau)',
  );
  const other = OTHER_NEURONS.find((name) => attributes.has(name));
  expect(other === undefined, `its neurons have "${other}", which PLIF and LIF have not`);
  expect(attributes.get('decay_input') !== false, 'τ does not divide its input (decay_input is False)');
}

function unknown(file: string, { path, className }: ModuleNode, what: string): ReproError {
  return new ReproError('import-unknown', `layer "${path}" (${className}) ${what}.`, {
    where: file,
    fix: 'docs/checkpoints.md says what the networks are that can be imported.',
  });
}
