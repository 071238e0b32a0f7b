import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { LoadedCheckpoint } from '../../../src/exchange/checkpoints/evaluate-checkpoint.ts';
import { evaluateCheckpoint } from '../../../src/exchange/checkpoints/evaluate-checkpoint.ts';
import { exportCheckpoint } from '../../../src/exchange/checkpoints/import-export.ts';
import { loadCheckpoint } from '../../../src/exchange/checkpoints/loaded-checkpoint.ts';
import { encodeMetadata } from '../../../src/exchange/checkpoints/self-description.ts';
import { writeNir } from '../../../src/formats/nir.ts';
import { buildNetwork } from '../../../src/network/networks.ts';
import { nirFromNetwork } from '../../../src/network/nir.ts';
import { builds, nativeEngine } from '../../native/support.ts';
import { sharedTemporaryFolder } from '../../support/temporary-folder.ts';
import { torchFixturePath } from '../../support/torch-file.ts';
import { writeFrameCache } from './frames-of-fixture.ts';

const folder = sharedTemporaryFolder();
const inside = (name: string) => path.join(folder, name);
let original: LoadedCheckpoint;

beforeAll(async () => {
  original = await loadCheckpoint(torchFixturePath('baseline.pt'));
  await writeFrameCache(inside('frames'));
  await exportCheckpoint(original, { to: 'nir', out: inside('own.nir'), force: false });
});

const evaluate = (checkpoint: LoadedCheckpoint) =>
  evaluateCheckpoint(checkpoint, {
    engine: nativeEngine(builds.at(-1)),
    framesFolder: inside('frames'),
    batchSize: 4,
    signal: new AbortController().signal,
    progress: () => {},
  });

/** Its graph with other metadata, or a graph that lacks a node. */
async function writeChanged(repro: (text: string) => string | undefined, left?: string) {
  const { network, state, trainedOn, source } = original;
  const spec = buildNetwork(network!);
  const { repro: text = '' } = encodeMetadata({ network: network!, trainedOn, source, assumed: [] });
  const changed = repro(text);
  const graph = nirFromNetwork(spec, state, changed === undefined ? {} : { repro: changed });
  const nodes = new Map([...graph.nodes].filter(([name]) => name !== left));
  await writeFile(inside('changed.nir'), await writeNir({ ...graph, nodes }));
  return loadCheckpoint(inside('changed.nir'));
}

describe('a NIR file', () => {
  test('describes its network and training as a safetensors file does, and evaluates like its state', async () => {
    const { network, trainedOn, source } = original;
    const exported = await loadCheckpoint(inside('own.nir'));
    expect(exported).toMatchObject({ network, trainedOn, source, name: 'own' });
    const { loss, ...wanted } = await evaluate(original);
    const found = await evaluate(exported);
    expect(found).toMatchObject(wanted);
    expect(found.loss).toBeCloseTo(loss, 6);
  });

  test.each([
    ['of another program', () => undefined, undefined, 'nir-foreign', 'another program'],
    [
      'that describes an impossible network',
      (text: string) => text.replace('"threshold":1', '"threshold":0'),
      undefined,
      'network-invalid',
      'threshold must be more than 0, got 0',
    ],
    ['without a node', (text: string) => text, 'fc_2', 'network-invalid', 'node "fc_2": expected'],
  ])('%s is refused', async (_, change, left, code, message) => {
    await expect(writeChanged(change, left)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message),
    });
  });

  test('cannot be written for a soft reset', async () => {
    const network = { ...original.network!, reset: { kind: 'soft', detach: true } as const };
    const writing = exportCheckpoint(
      { ...original, network },
      { to: 'nir', out: inside('soft.nir'), force: false },
    );
    await expect(writing).rejects.toMatchObject({ code: 'nir-unwritable' });
  });
});
