import type { Dataset, File, Group } from 'h5wasm';
import { ReproError } from '../base/errors.ts';

/*
 * A network as the Neuromorphic Intermediate Representation (NIR) describes it: nodes with parameters, and edges along which values flow.
 * See https://neuroir.org and Pedersen et al. 2024 (doi 10.1038/s41467-024-52259-9).
 *
 * NIR files: HDF5 with a text `version` and a group `node`, a graph. Its texts `edges`, [E, 2], name the ends of each edge; its group
 * `nodes` has a group for each node: a text `type`, and a dataset for each parameter. Names and types are those that the Python package
 * nir writes: floats of 32 bits, whole numbers of 64.
 */

/** A parameter; `shape` is [] for a single number. Whole numbers are far below 2²⁴, where singles have no fraction. */
export interface NirArray {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** A parameter that is one number. */
export function nirNumber(value: number): NirArray {
  return { shape: [], data: Float32Array.of(value) };
}

type Kind = 'whole' | 'real';
const pool = { kernel_size: 'whole', stride: 'whole', padding: 'whole' } as const;
const fire = { v_threshold: 'real', v_reset: 'real' } as const;

/** The nodes that networks here have, and their parameters. Of neurons, τ is in the file's unit of time. */
const nirParameters = {
  Input: { shape: 'whole' },
  Output: { shape: 'whole' },
  Conv2d: {
    ...{ input_shape: 'whole', weight: 'real', bias: 'real' },
    ...{ stride: 'whole', padding: 'whole', dilation: 'whole', groups: 'whole' },
  },
  Linear: { weight: 'real' },
  Flatten: { input_type: 'whole', start_dim: 'whole', end_dim: 'whole' },
  SumPool2d: pool,
  AvgPool2d: pool,
  IF: { r: 'real', ...fire },
  LIF: { tau: 'real', r: 'real', v_leak: 'real', ...fire },
} as const satisfies Readonly<Record<string, Readonly<Record<string, Kind>>>>;

type NirType = keyof typeof nirParameters;

/** `{ type: 'Linear', weight }` */
export type NirNode = {
  readonly [T in NirType]: { readonly type: T } & {
    readonly [Name in keyof (typeof nirParameters)[T]]: NirArray;
  };
}[NirType];

export interface NirGraph {
  readonly nodes: ReadonlyMap<string, NirNode>;
  readonly edges: readonly (readonly [from: string, to: string])[];
  /** Texts by name, free for any use. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** Of the package nir whose layout this is. */
const VERSION = '1.0.7';

/** HDF5's own library, compiled to WebAssembly: what a file makes it do stays in its memory. It takes half a second to load. */
async function loadHdf5() {
  const hdf5 = await import('h5wasm');
  const module = await hdf5.ready;
  // It would print them.
  module.activate_throwing_error_handler();
  return { open: (mode: 'r' | 'w') => new hdf5.File(NAME, mode, COMPATIBLE), files: module.FS };
}
/** In the memory of the library. */
const NAME = 'graph.nir';
/** As h5py writes: readable by every version of HDF5. */
const COMPATIBLE = { libver: ['earliest', 'latest'] as ['earliest', 'latest'] };

/** The same graph gives the same bytes. */
export async function writeNir(graph: NirGraph): Promise<Uint8Array> {
  const { open, files } = await loadHdf5();
  const { now } = Date;
  // HDF5 writes the time into each dataset. Nothing else runs meanwhile.
  Date.now = () => 0;
  try {
    const file = open('w');
    writeText(file, 'version', VERSION);
    writeGraph(file.create_group('node'), graph);
    file.close();
  } finally {
    Date.now = now;
  }
  const bytes = files.readFile(NAME);
  files.unlink(NAME);
  return bytes;
}

function writeGraph(group: Group, { nodes, edges, metadata }: NirGraph): void {
  writeText(group, 'type', 'NIRGraph');
  group.create_dataset({ name: 'edges', data: edges.flat(), shape: [edges.length, 2], dtype: 'S' });
  const own = group.create_group('metadata');
  for (const [name, text] of Object.entries(metadata)) writeText(own, name, text);
  const all = group.create_group('nodes');
  for (const [name, { type, ...parameters }] of nodes) {
    const one = all.create_group(name);
    writeText(one, 'type', type);
    const arrays: Readonly<Record<string, NirArray>> = parameters;
    for (const [parameter, kind] of Object.entries(nirParameters[type])) {
      const { shape, data } = arrays[parameter]!;
      const isReal = kind === 'real';
      one.create_dataset({
        name: parameter,
        data: isReal ? data : BigInt64Array.from(data, BigInt),
        shape: [...shape],
        dtype: isReal ? '<f' : '<q',
        // A τ for each neuron, often the same, is the largest part of a file.
        ...(shape.length > 0 ? { chunks: [...shape], compression: 'gzip' as const } : {}),
      });
    }
  }
}

function writeText(group: Group, name: string, text: string): void {
  group.create_dataset({ name, data: text, shape: [], dtype: 'S' });
}

/** What is read of a file, by the names of nodes: the networks of this project need nothing else of it. */
export interface NirContent {
  readonly metadata: NirGraph['metadata'];
  readonly nodes: ReadonlyMap<string, Readonly<Record<string, NirArray>>>;
}

/** Of all values of a file together: 13 kB can declare a weight of 20,000 x 20,000, which HDF5 then fills in. */
const LARGEST_BYTES = 2 ** 28;

/**
 * Reads the numbers and the metadata of a NIR file.
 *
 * @param where the file's name, for errors
 * @throws {ReproError} `nir-invalid` if it is damaged, or declares too many values
 */
export async function readNir(bytes: Uint8Array, where?: string): Promise<NirContent> {
  const { open, files } = await loadHdf5();
  files.writeFile(NAME, bytes);
  let file: File | undefined;
  try {
    file = open('r');
    const datasets = datasetsBelow(file.get('node') as Group);
    const sizes = datasets.map(([, { metadata }]) => metadata.total_size * metadata.size);
    if (sizes.reduce((sum, size) => sum + size, 0) > LARGEST_BYTES)
      throw new RangeError(`its values take more than ${LARGEST_BYTES / 2 ** 20} MiB`);
    const nodes = new Map<string, Record<string, NirArray>>();
    const metadata: Record<string, string> = {};
    for (const [path, { value, shape }] of datasets) {
      const [group, node = '', name = ''] = path.split('/');
      if (typeof value === 'string') {
        if (group === 'metadata') metadata[node] = value;
      } else if (group === 'nodes' && value !== null) {
        const values = typeof value === 'object' ? (value as ArrayLike<number | bigint>) : [value];
        const data = Float32Array.from(values, Number);
        nodes.set(node, { ...nodes.get(node), [name]: { shape: shape ?? [], data } });
      }
    }
    return { nodes, metadata };
  } catch (cause) {
    const problem =
      cause instanceof RangeError ? cause.message : 'not a NIR file, or damaged: HDF5 cannot read it';
    const fix = 'Write it again: ./repro export state SOURCE --to nir';
    throw new ReproError('nir-invalid', `${problem}.`, { where, fix, cause });
  } finally {
    file?.close();
    files.unlink(NAME);
  }
}

/** The datasets of a group and of its groups, by their paths in it. */
function datasetsBelow(group: Group, prefix = ''): [string, Dataset][] {
  return group.keys().flatMap((name): [string, Dataset][] => {
    const one = group.get(name);
    if (one !== null && 'value' in one) return [[prefix + name, one]];
    return one !== null && 'keys' in one ? datasetsBelow(one, `${prefix}${name}/`) : [];
  });
}
