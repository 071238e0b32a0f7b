import type { Dataset, File, Group } from 'h5wasm';
import { ReproError } from '../base/errors.ts';
import { quoteName } from '../base/text.ts';
import { type NirArray, type NirGraph, type NirNode, type NirType, nirParameters } from './nir-graph.ts';

/*
 * NIR files: HDF5 with a text `version` and a group `node`, a graph. Its texts `edges`, [E, 2], name the ends of each edge; its group
 * `nodes` has a group for each node: a text `type`, and a dataset for each parameter. Names and types are those that the Python package
 * nir writes: floats of 32 bits, whole numbers of 64.
 */

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

/**
 * Reads a NIR file of any program.
 *
 * @param where the file's name, for errors
 * @throws {ReproError} `nir-invalid` if it is damaged, lacks a parameter, or has a node of an unknown type,
 *   or a value that is not finite
 */
export async function readNir(bytes: Uint8Array, where?: string): Promise<NirGraph> {
  const { open, files } = await loadHdf5();
  files.writeFile(NAME, bytes);
  let file: File | undefined;
  try {
    file = open('r');
    return readGraph(file);
  } catch (cause) {
    const problem =
      cause instanceof MisfitError ? cause.message : 'not a NIR file, or damaged: HDF5 cannot read it';
    throw new ReproError('nir-invalid', `${problem}.`, {
      where,
      fix: 'Write it again, by `./repro export state --to nir` or the Python package nir, or fetch it again. docs/nir.md lists what is read.',
      cause,
    });
  } finally {
    file?.close();
    files.unlink(NAME);
  }
}

/** Of all values of a file together: 13 kB can declare a weight of 20,000 x 20,000, which HDF5 then fills in. */
const LARGEST_BYTES = 2 ** 28;

/** What is left of it. */
interface Room {
  bytes: number;
}

/** What is wrong with a file's content, for `readNir`. */
class MisfitError extends Error {}

function readGraph(file: File): NirGraph {
  const graph = groupIn(file, 'node', 'the file');
  const nodes = groupIn(graph, 'nodes', '"node"');
  const room: Room = { bytes: LARGEST_BYTES };
  const ends = valueIn(graph, 'edges', room);
  const names = Array.isArray(ends) ? ends.map(String) : [];
  const edges = Array.from(
    { length: names.length / 2 },
    (_, i) => [names[2 * i]!, names[2 * i + 1]!] as const,
  );
  const own = graph.keys().includes('metadata') ? groupIn(graph, 'metadata', '"node"') : undefined;
  return {
    nodes: new Map(nodes.keys().map((name) => [name, readNode(groupIn(nodes, name, '"nodes"'), name, room)])),
    edges,
    metadata: Object.fromEntries(
      own?.keys().flatMap((name) => {
        const text = valueIn(own, name, room);
        return typeof text === 'string' ? [[name, text] as const] : [];
      }) ?? [],
    ),
  };
}

function groupIn(parent: Group, name: string, where: string): Group {
  const found = parent.keys().includes(name) ? parent.get(name) : null;
  if (found !== null && 'type' in found && found.type === 'Group') return found as Group;
  throw new MisfitError(`${where} has no group ${quoteName(name)}`);
}

/** Of a dataset; undefined if there is none, or it is empty. */
function valueIn(group: Group, name: string, room: Room): Dataset['value'] | undefined {
  const found = group.keys().includes(name) ? group.get(name) : null;
  if (found === null || !('value' in found)) return undefined;
  const { total_size: count, size, shape } = found.metadata;
  room.bytes -= count * size;
  if (room.bytes < 0) {
    const problem = `${quoteName(found.path)} is [${shape}]: with it, all values take more than ${LARGEST_BYTES / 2 ** 20} MiB`;
    throw new MisfitError(problem);
  }
  return found.value ?? undefined;
}

function readNode(group: Group, name: string, room: Room): NirNode {
  const type = valueIn(group, 'type', room);
  const where = `node ${quoteName(name)}`;
  if (typeof type !== 'string' || !isKnown(type)) {
    const known = Object.keys(nirParameters).join(', ');
    throw new MisfitError(`${where} is of type ${quoteName(String(type))}; known here are ${known}`);
  }
  const arrays = Object.entries(nirParameters[type]).map(([parameter, kind]): [string, NirArray] => {
    const found = readArray(group, parameter, room);
    if (found?.data.every(Number.isFinite)) return [parameter, found];
    // Its neurons would stay silent, and the accuracy would look like any other.
    if (found !== undefined)
      throw new MisfitError(`${where} (${type}): some values of ${quoteName(parameter)} are NaN or infinite`);
    if (kind === 'hint') return [parameter, { shape: [0], data: new Float32Array() }];
    // Files of early versions have none.
    if (parameter === 'v_reset') return [parameter, { shape: [], data: Float32Array.of(0) }];
    throw new MisfitError(`${where} (${type}) has no numbers ${quoteName(parameter)}`);
  });
  // The table of parameters, from which the type of nodes follows, has been read to the end.
  return { type, ...Object.fromEntries(arrays) } as NirNode;
}

function isKnown(type: string): type is NirType {
  return Object.hasOwn(nirParameters, type);
}

function readArray(group: Group, name: string, room: Room): NirArray | undefined {
  const value = valueIn(group, name, room);
  const numbers = typeof value === 'number' || typeof value === 'bigint' ? [value] : value;
  if (!ArrayBuffer.isView(numbers) && !Array.isArray(numbers)) return undefined;
  const shape = (group.get(name) as Dataset).shape ?? [];
  // One by one, many millions take a minute.
  if (numbers instanceof Float32Array) return { shape, data: numbers };
  return { shape, data: Float32Array.from(numbers as ArrayLike<number | bigint>, Number) };
}
