import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { compile, instantiate } from 'plif-native/wasm';
import { expect, test } from 'vitest';
import { loadWasm } from '../../src/network/engines/wasm/addon.ts';
import { spikingLayers, stateEntries } from '../../src/network/spec.ts';
import { livelyState, nativeEngine, randomBatch, portable as spec } from './support.ts';

const require = createRequire(import.meta.url);

test('plif.wasm is compiled from the sources beside it', () => {
  const { wasmDigest } = require('plif-native/source-digest') as { wasmDigest: () => string };
  const loaded = loadWasm();
  // If not: run native/wasm/build.sh, and commit plif.wasm.
  expect(loaded.ok && loaded.addon.sourceDigest).toBe(wasmDigest());
});

// Only a change of the kernels or of what is drawn here may change them.
test('WebAssembly gives the same bits on every machine', async () => {
  const session = await nativeEngine('wasm').open(spec, livelyState(spec));
  const bits = createHash('sha256');
  for (const [i, density] of [0.05, 0.4, 0.9].entries()) {
    const regularise = i % 2 === 0 ? 'w' : 'tau';
    const settings = { learningRate: 0.01, regulariseTau: 0.1, regularise } as const;
    const { loss } = await session.trainStep(randomBatch(spec, { density, seed: i }), settings);
    bits.update(String(loss));
  }
  for (const { data } of (await session.state()).values()) bits.update(new Uint8Array(data.buffer));
  session.dispose();
  expect(bits.digest('hex')).toBe('0ca3bdcde5852302c576f7cf62085d951fe24fe626176726468cd455ce322411');
});

/** plif.wasm with at most 32 MB of memory. */
function smallModule() {
  const bytes = readFileSync(new URL('../../native/wasm/plif.wasm', import.meta.url));
  // The memory section: 6 bytes, one memory with a maximum, 16 pages, at most 65,535; that becomes 512.
  const at = bytes.indexOf(Uint8Array.of(5, 6, 1, 1, 16, 0xff, 0xff, 3));
  expect(at).toBeGreaterThan(0);
  bytes.set([0x80, 0x84, 0], at + 5);
  return compile(bytes);
}

test('a batch that fits in memory also fits after smaller and refused ones', () => {
  const network = instantiate(smallModule()).open({ ...spec, winogradTile: 2 });
  const lambdas = Float64Array.from(spikingLayers(spec), () => 0);
  const options = {
    learningRate: 0.01,
    tauRate: 1,
    lambdas,
    regularise: 'w',
    loss: 'rate',
    step: 1,
  } as const;
  const train = (samples: number) => {
    const { frames, labels, dropoutMasks } = randomBatch(spec, { samples });
    const settings = { ...options, keepGradients: false };
    network.trainStep(frames.data as Uint8Array, samples, 4, labels, dropoutMasks, settings);
  };
  const megabytesFor = (samples: number) => Math.round(network.bytesFor(samples, 4, true) / 2 ** 20);
  expect([40, 60, 100].map(megabytesFor)).toEqual([13, 19, 32]);
  train(40);
  expect(() => train(100)).toThrow('there is not enough memory');
  train(40);
  train(60);
});

test('a refused call leaves the network usable', async () => {
  const loaded = loadWasm();
  if (!loaded.ok) throw new Error(loaded.reason);
  const { layers, input, classes } = spec;
  const settings = { threads: 1, instructionSet: 'wasm', winogradTile: 2 } as const;
  const network = await loaded.addon.open({ layers, input, classes, ...settings });
  const buffer = stateEntries(spec).find(({ role }) => role === 'buffer')?.name ?? '';
  await expect(network.getTensor(buffer, 'first')).rejects.toMatchObject({ code: 'PLIF_SHAPE' });
  await expect(network.bytesFor(0, 4, true)).rejects.toMatchObject({ code: 'PLIF_ARGUMENT' });
  await expect(network.evaluate(new Uint8Array(7), 1, 4)).rejects.toMatchObject({ code: 'PLIF_ARGUMENT' });
  const { frames } = randomBatch(spec);
  expect((await network.evaluate(frames.data as Uint8Array, 3, 4)).rates).toHaveLength(3 * classes);
  network.dispose();
  network.dispose();
});
