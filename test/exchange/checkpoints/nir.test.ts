import type { LoadedCheckpoint } from '../../../src/exchange/checkpoints/evaluate-checkpoint.ts';
import '../../support/all-close.ts';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { evaluateCheckpoint } from '../../../src/exchange/checkpoints/evaluate-checkpoint.ts';
import { exportCheckpoint } from '../../../src/exchange/checkpoints/import-export.ts';
import { loadCheckpoint } from '../../../src/exchange/checkpoints/loaded-checkpoint.ts';
import { nirEngine } from '../../../src/exchange/checkpoints/nir.ts';
import { trainedElsewhere } from '../../../src/exchange/checkpoints/self-description.ts';
import { writeNir } from '../../../src/formats/nir.ts';
import type { NirGraph, NirNode } from '../../../src/formats/nir-graph.ts';
import { buildNetwork } from '../../../src/network/networks.ts';
import { nirFromNetwork } from '../../../src/network/nir-from-network.ts';
import { builds, livelyState, nativeEngine, randomBatch } from '../../native/support.ts';
import { mnistNetwork } from '../../support/still-networks.ts';
import { sharedTemporaryFolder } from '../../support/temporary-folder.ts';
import { torchFixturePath } from '../../support/torch-file.ts';
import { writeFrameCache, writeImageCache } from './frames-of-fixture.ts';

const folder = sharedTemporaryFolder();
const inside = (name: string) => path.join(folder, name);
let original: LoadedCheckpoint;
let exported: LoadedCheckpoint;

beforeAll(async () => {
  original = await loadCheckpoint(torchFixturePath('baseline.pt'));
  await writeFrameCache(inside('frames'));
  await exportCheckpoint(original, { to: 'nir', out: inside('own.nir'), force: false });
  exported = await loadCheckpoint(inside('own.nir'));
});

function graphOf({ graph }: LoadedCheckpoint): NirGraph {
  if (graph === undefined) throw new Error('no graph');
  return graph;
}

/** A file without our description. */
async function loadForeign(graph = graphOf(exported)) {
  await writeFile(inside('foreign.nir'), await writeNir({ ...graph, metadata: {} }));
  return loadCheckpoint(inside('foreign.nir'));
}

async function evaluate(checkpoint: LoadedCheckpoint, dt?: number, frames = inside('frames')) {
  const { graph } = checkpoint;
  return evaluateCheckpoint(checkpoint, {
    engine:
      graph === undefined ? nativeEngine(builds.at(-1)) : nirEngine(graph, { dt, where: checkpoint.source }),
    framesFolder: frames,
    batchSize: 1,
    signal: new AbortController().signal,
    progress: () => {},
  });
}

describe('a NIR file', () => {
  test('describes its network and training as a safetensors file does', () => {
    const { network, trainedOn, source } = original;
    expect(exported).toMatchObject({ network, trainedOn, source, name: 'own' });
    expect(graphOf(exported).metadata).not.toHaveProperty('format');
  });

  test('evaluates to the accuracy and loss of its state', async () => {
    const { loss, ...wanted } = await evaluate(original);
    const found = await evaluate(exported);
    expect(found).toMatchObject(wanted);
    expect(found.loss).toBeCloseTo(loss, 6);
  });

  test('of another program does, too, with its outputs as scores', async () => {
    const foreign = await loadForeign();
    expect(foreign).toMatchObject({
      network: null,
      trainedOn: trainedElsewhere(null),
      source: 'foreign.nir',
    });
    const { correct, loss } = await evaluate(original);
    const found = await evaluate(foreign);
    expect(found.correct).toBe(correct);
    expect(found.loss).toBeCloseTo(loss, 6);
  });

  /** Puts out its input. */
  const echo = (...shape: readonly number[]): NirGraph => {
    const size = { shape: [shape.length], data: Float32Array.from(shape) };
    const nodes: readonly (readonly [string, NirNode])[] = [
      ['input', { type: 'Input', shape: size }],
      ['output', { type: 'Output', shape: size }],
    ];
    return { nodes: new Map(nodes), edges: [['input', 'output']], metadata: {} };
  };
  test.each([
    ['frames of another size', echo(2, 4, 4), 1, 'its input is [2, 4, 4], but frames are [2, 16, 16]'],
    ['other classes', echo(2, 16, 16), 1, 'it has 512 outputs, but the data set has 3 classes'],
    ['steps longer than a τ', undefined, 1000, 'shorter than a step of 1000'],
  ] as const)('is refused for %s', async (_, graph, dt, message) => {
    await expect(evaluate(await loadForeign(graph), dt)).rejects.toMatchObject({
      ...{ code: 'nir-misfit', where: 'foreign.nir', message: expect.stringContaining(message) },
      fix: expect.stringContaining(dt === 1 ? 'docs/nir.md' : '--dt'),
    });
  });

  test('that describes an impossible network is refused', async () => {
    const { metadata, ...graph } = graphOf(exported);
    const repro = metadata.repro?.replace('"threshold":1', '"threshold":0') ?? '';
    await writeFile(inside('odd.nir'), await writeNir({ ...graph, metadata: { repro } }));
    const message = expect.stringContaining('threshold must be more than 0, got 0');
    await expect(loadCheckpoint(inside('odd.nir'))).rejects.toMatchObject({
      code: 'network-invalid',
      message,
    });
  });

  test('of a network for still images shows an image at each step', async () => {
    const spec = buildNetwork({ ...mnistNetwork, channels: 8, hidden: 40 });
    const state = livelyState(spec);
    const { frames } = randomBatch(spec, { steps: 1, samples: 2 });
    const session = await nativeEngine('wasm').open(spec, state);
    const { outputs, rates } = await session.evaluate(frames);
    session.dispose();
    const opened = await nirEngine(nirFromNetwork(spec, state), { where: '' }).open(spec);
    const found = await opened.evaluate(frames);
    expect(found.outputs).toEqual(outputs);
    expect(found.rates).toBeAllclose(rates);
    expect(Math.max(...outputs)).toBeGreaterThan(0);
  });

  test('of another program is refused for still images: nothing says how long to show them', async () => {
    const frames = await writeImageCache(inside('images'));
    await expect(evaluate(await loadForeign(), 1, frames)).rejects.toMatchObject({ code: 'frames-misfit' });
  });

  test('cannot be written for a soft reset', async () => {
    if (original.network === null) throw new Error('no network');
    const soft = {
      ...original,
      network: { ...original.network, reset: { kind: 'soft', detach: true } as const },
    };
    const writing = exportCheckpoint(soft, { to: 'nir', out: inside('soft.nir'), force: false });
    await expect(writing).rejects.toMatchObject({ code: 'nir-unwritable' });
  });
});
