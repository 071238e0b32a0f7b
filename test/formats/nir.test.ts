import { readFileSync } from 'node:fs';
import path from 'node:path';
import { type Dataset, File, FS, type Group, ready } from 'h5wasm';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { readNir, writeNir } from '../../src/formats/nir.ts';
import type { NirArray, NirNode } from '../../src/formats/nir-graph.ts';

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

describe('a NIR file', () => {
  test('of the Python package nir is read, and written with the same names, types, shapes and values', async () => {
    const graph = await readNir(golden);
    expect(graph.nodes.get('cuba')).toMatchObject({ type: 'CubaLIF', v_reset: { shape: [4, 4, 3] } });
    expect(graph.edges).toContainEqual(['average', 'scale']);
    const wanted = await listDatasets(golden);
    expect(wanted.size).toBe(64);
    expect(await listDatasets(await writeNir(graph))).toEqual(wanted);
  });

  test('keeps texts as metadata, and has the same bytes at any time', async () => {
    const graph = { ...(await readNir(golden)), metadata: { τ: 'per neuron', repro: '{}' } };
    const bytes = await writeNir(graph);
    expect((await readNir(bytes)).metadata).toEqual(graph.metadata);
    vi.spyOn(Date, 'now').mockReturnValue(1e12);
    expect(Buffer.compare(await writeNir(graph), bytes)).toBe(0);
  });

  test.each([
    ['is another file', (bytes: Buffer) => bytes.fill(7, 0, 8), 'not a NIR file, or damaged'],
    ['is cut off', (bytes: Buffer) => bytes.subarray(0, 50_000), 'not a NIR file, or damaged'],
    ['has no graph', (bytes: Buffer) => rename(bytes, 'nodes', 'nodez'), '"node" has no group "nodes"'],
    [
      'lacks a parameter',
      (bytes: Buffer) => rename(bytes, 'tau_syn', 'tau_sin'),
      'node "cuba" (CubaLIF) has no numbers "tau_syn"',
    ],
    [
      'has a node of another type',
      (bytes: Buffer) => rename(bytes, 'CubaLIF', 'CubaXIF'),
      'node "cuba" is of type "CubaXIF"; known here are Input, Output, Conv2d,',
    ],
  ])('that %s is refused', async (_, change, message) => {
    await expect(readNir(change(Buffer.from(golden)), 'graph.nir')).rejects.toMatchObject({
      ...{ code: 'nir-invalid', where: 'graph.nir' },
      message: expect.stringContaining(message),
    });
  });

  test('that declares more values than there is memory for is refused before they are read', async () => {
    FS?.writeFile('bomb', await writeNir({ nodes: new Map(), edges: [], metadata: {} }));
    const file = new File('bomb', 'a');
    const node = (file.get('node/nodes') as Group).create_group('wide');
    node.create_dataset({ name: 'type', data: 'Linear', shape: [], dtype: 'S' });
    node
      .create_dataset({
        ...{ name: 'weight', data: Float32Array.of(1), shape: [1, 1], dtype: '<f' },
        ...{ maxshape: [null, null], chunks: [1000, 1000], compression: 'gzip' },
      })
      .resize([20_000, 20_000]);
    file.close();
    const bytes = FS?.readFile('bomb') as Uint8Array;
    expect(bytes.length).toBeLessThan(30_000);
    await expect(readNir(bytes)).rejects.toThrow('"/node/nodes/wide/weight" is [20000,20000]: with it, ');
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY])('with a value of %s is refused', async (value) => {
    const graph = await readNir(golden);
    const tau: NirArray = { shape: [], data: Float32Array.of(value) };
    const leaky: NirNode = { type: 'LI', tau, r: tau, v_leak: tau };
    const bytes = await writeNir({ ...graph, nodes: new Map([...graph.nodes, ['leaky', leaky]]) });
    await expect(readNir(bytes)).rejects.toThrow(
      'node "leaky" (LI): some values of "tau" are NaN or infinite.',
    );
  });

  test('of an early version without v_reset resets to 0', async () => {
    const { nodes } = await readNir(rename(Buffer.from(golden), 'v_reset', 'v_rezet'));
    expect(nodes.get('fire')).toMatchObject({ v_reset: { shape: [], data: Float32Array.of(0) } });
  });
});

/** Replaces a text of the same length everywhere. */
function rename(bytes: Buffer, from: string, to: string): Buffer {
  return Buffer.from(bytes.toString('latin1').replaceAll(from, to), 'latin1');
}
