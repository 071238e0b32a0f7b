import { readFileSync } from 'node:fs';
import path from 'node:path';
import { type Dataset, File, FS, type Group, ready } from 'h5wasm';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type NirGraph, type NirNode, readNir, writeNir } from '../../src/formats/nir.ts';

const folder = path.join(import.meta.dirname, '../golden/nir');
/** Written by the Python package nir; `make_graph.py` beside it says what it is. */
const golden = readFileSync(path.join(folder, 'graph.nir'));

/** Shape, element type and value of each dataset of a file by its path. */
async function listDatasets(bytes: Uint8Array): Promise<Map<string, unknown>> {
  await ready;
  FS?.writeFile('listed', bytes);
  const file = new File('listed', 'r');
  const found = new Map<string, unknown>();
  const visit = (group: Group, prefix: string): void => {
    for (const name of group.keys()) {
      const one = group.get(name) as Group | Dataset;
      if (one.type === 'Group') visit(one as Group, `${prefix}${name}/`);
      else {
        const { shape, dtype, value } = one as Dataset;
        found.set(prefix + name, { shape, dtype, value });
      }
    }
  };
  visit(file, '');
  file.close();
  return found;
}

afterEach(() => void vi.restoreAllMocks());

const known = ['Input', 'Output', 'Conv2d', 'Linear', 'Flatten', 'SumPool2d', 'AvgPool2d', 'IF', 'LIF'];
const empty: NirGraph = { nodes: new Map(), edges: [], metadata: {} };

describe('a NIR file', () => {
  test('has the names, types, shapes and values that the Python package nir gives them', async () => {
    const wanted = await listDatasets(golden);
    const { nodes } = await readNir(golden);
    const types = [...nodes.keys()].map((name) => [name, `${typeOf(wanted, name)}`] as const);
    const kept = types.filter(([, type]) => known.includes(type));
    expect(kept).toHaveLength(9);
    const graph = new Map(kept.map(([name, type]) => [name, { type, ...nodes.get(name) } as NirNode]));
    const found = await listDatasets(await writeNir({ ...empty, nodes: graph }));
    for (const [name, dataset] of found)
      if (!name.endsWith('edges')) expect(dataset).toEqual(wanted.get(name));
    for (const [name] of kept) expect(keysBelow(found, name)).toEqual(keysBelow(wanted, name));
  });

  test('keeps texts as metadata, and has the same bytes at any time', async () => {
    const graph: NirGraph = { ...empty, edges: [['a', 'b']], metadata: { τ: 'per neuron', repro: '{}' } };
    const bytes = await writeNir(graph);
    expect((await readNir(bytes)).metadata).toEqual(graph.metadata);
    expect((await listDatasets(bytes)).get('node/edges')).toMatchObject({ value: ['a', 'b'], shape: [1, 2] });
    vi.spyOn(Date, 'now').mockReturnValue(1e12);
    expect(Buffer.compare(await writeNir(graph), bytes)).toBe(0);
  });

  test.each([
    ['is another file', (bytes: Buffer) => bytes.fill(7, 0, 8)],
    ['is cut off', (bytes: Buffer) => bytes.subarray(0, 50_000)],
  ])('that %s is refused', async (_, change) => {
    await expect(readNir(change(Buffer.from(golden)), 'graph.nir')).rejects.toMatchObject({
      ...{ code: 'nir-invalid', where: 'graph.nir', message: expect.stringContaining('not a NIR file') },
    });
  });

  test('that declares more values than there is memory for is refused before they are read', async () => {
    FS?.writeFile('bomb', await writeNir(empty));
    const file = new File('bomb', 'a');
    (file.get('node/nodes') as Group)
      .create_group('wide')
      .create_dataset({
        ...{ name: 'weight', data: Float32Array.of(1), shape: [1, 1], dtype: '<f' },
        ...{ maxshape: [null, null], chunks: [1000, 1000], compression: 'gzip' },
      })
      .resize([20_000, 20_000]);
    file.close();
    const bytes = FS?.readFile('bomb') as Uint8Array;
    expect(bytes.length).toBeLessThan(30_000);
    await expect(readNir(bytes)).rejects.toThrow('its values take more than 256 MiB');
  });
});

function typeOf(datasets: Map<string, unknown>, node: string): unknown {
  return (datasets.get(`node/nodes/${node}/type`) as { value: unknown }).value;
}

function keysBelow(datasets: Map<string, unknown>, node: string): string[] {
  return [...datasets.keys()].filter((name) => name.startsWith(`node/nodes/${node}/`)).sort();
}
