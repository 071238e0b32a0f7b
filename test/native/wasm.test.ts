import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { expect, test } from 'vitest';
import { loadWasm } from '../../src/engines/wasm/addon.ts';
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
