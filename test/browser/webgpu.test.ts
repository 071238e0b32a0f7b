import path from 'node:path';
import { build } from 'esbuild';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import type { State, Tensor } from '../../src/formats/tensor.ts';
import { caseOf, compareSteps } from '../native/network-cases.ts';
import { livelyState, nativeEngine, randomBatch } from '../native/support.ts';
import { CHROMIUM_FLAGS } from './chromium.ts';

let browser: Browser;
beforeAll(async () => {
  // A GPU in software, which Chromium brings along.
  const flags = ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'];
  const args = [...CHROMIUM_FLAGS.filter((flag) => flag !== '--disable-gpu'), ...flags];
  browser = await chromium.launch({ executablePath: inject('chromium'), args });
});
afterAll(() => browser.close());

const root = path.resolve(import.meta.dirname, '../..');

/** Runs in the page: a training step, as plain numbers. */
const inPage = `async ({ script, spec, tensors, batch, settings }) => {
  const { createWebgpuEngine } = await import(script);
  const adapter = await navigator.gpu.requestAdapter();
  const engine = createWebgpuEngine({ device: await adapter.requestDevice(), identity: adapter.info.architecture }, 'test');
  const state = new Map(tensors.map(({ name, dtype, shape, data }) =>
    [name, { dtype, shape, data: dtype === 'F32' ? Float32Array.from(data) : BigInt64Array.from(data, BigInt) }]));
  const session = await engine.open(spec, state);
  const result = await session.trainStep({
    frames: { shape: batch.shape, data: Uint8Array.from(batch.data) },
    labels: Int32Array.from(batch.labels),
    dropoutMasks: batch.masks.map((mask) => Float32Array.from(mask)),
  }, settings, { keepGradients: true });
  const gradients = [...result.gradients].map(([name, { shape, data }]) => ({ name, shape, data: [...data] }));
  return { device: engine.description.version, ...result, rates: [...result.rates], outputs: [...result.outputs], gradients };
}`;

it('the kernels in a browser compute a training step as the native engine does', async () => {
  const { spec } = caseOf('neurons: τ per neuron');
  const [state, batch] = [livelyState(spec), randomBatch(spec)];
  const settings = { learningRate: 0.01, regulariseTau: 0.1 };
  const session = await nativeEngine('wasm').open(spec, state);
  const wanted = await session.trainStep(batch, settings, { keepGradients: true });
  session.dispose();

  // It fails if anything of Node.js is in it.
  const { outputFiles } = await build({
    entryPoints: [path.join(root, 'src/network/engines/webgpu/engine.ts')],
    ...{ bundle: true, write: false, format: 'esm', platform: 'browser' },
  });
  const numbersOf = (data: ArrayLike<number | bigint>) => Array.from(data, Number);
  const given = {
    script: `data:text/javascript;base64,${Buffer.from(outputFiles[0]!.contents).toString('base64')}`,
    spec,
    tensors: [...state].map(([name, tensor]) => ({ ...tensor, name, data: numbersOf(tensor.data) })),
    batch: {
      shape: batch.frames.shape,
      data: numbersOf(batch.frames.data),
      labels: numbersOf(batch.labels),
      masks: batch.dropoutMasks.map(numbersOf),
    },
    settings,
  };
  const page = await browser.newPage();
  // WebGPU is for pages from safe places only.
  await page.route('http://localhost/', (route) => route.fulfill({ contentType: 'text/html', body: '' }));
  await page.goto('http://localhost/');
  const found = await page.evaluate<FoundStep>(`(${inPage})(${JSON.stringify(given)})`);
  expect(found.device).toContain('swiftshader');
  const gradients: State = new Map(
    found.gradients.map(({ name, shape, data }): [string, Tensor] => [
      name,
      { dtype: 'F32', shape, data: Float32Array.from(data) },
    ]),
  );
  const numbers = { rates: Float32Array.from(found.rates), outputs: Float32Array.from(found.outputs) };
  compareSteps({ ...found, ...numbers, gradients }, wanted);
});

interface FoundStep {
  readonly device: string;
  readonly loss: number;
  readonly spikeRates: number[];
  readonly rates: number[];
  readonly outputs: number[];
  readonly gradients: readonly { readonly name: string; readonly shape: number[]; readonly data: number[] }[];
}
