import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { expect, test } from 'vitest';
import { loadWasm } from '../../src/engines/wasm/addon.ts';
import { buildNetwork } from '../../src/snn/networks.ts';
import { thesisNetwork } from '../support/thesis-network.ts';
import { livelyState, nativeEngine, randomBatch } from './support.ts';

const require = createRequire(import.meta.url);

test('plif.wasm is compiled from the sources beside it', () => {
  const { sourceDigest } = require('../../native/wasm/source-digest.cjs') as { sourceDigest: () => string };
  const loaded = loadWasm();
  // If not: run native/wasm/build.sh, and commit plif.wasm.
  expect(loaded.ok && loaded.addon.sourceDigest).toBe(sourceDigest());
});

// Only a change of the kernels or of what is drawn here may change them.
test('WebAssembly gives the same bits on every machine', async () => {
  const spec = buildNetwork({
    ...thesisNetwork,
    input: [2, 21, 26],
    channels: 24,
    layers: 3,
    tau: { per: 'neuron', mean: 2, std: 0.2 },
    surrogate: { kind: 'sigmoid', alpha: 2, learnable: true },
    hidden: 30,
  });
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
