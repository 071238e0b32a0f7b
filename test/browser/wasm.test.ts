import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { spikingLayers, stateEntries } from '../../src/network/spec.ts';
import { livelyState, nativeEngine, randomBatch, portable as spec } from '../native/support.ts';
import { CHROMIUM_FLAGS } from './chromium.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await chromium.launch({ executablePath: inject('chromium'), args: CHROMIUM_FLAGS });
});
afterAll(() => browser.close());

const folder = path.resolve(import.meta.dirname, '../../native/wasm');

/** Runs in the page: a training step and an evaluation, as plain numbers. */
const inPage = `async ({ script, wasm, options, tensors, batch, settings }) => {
  const { compile, instantiate } = await import(script);
  const bytes = Uint8Array.from(atob(wasm), (character) => character.charCodeAt(0));
  const network = instantiate(compile(bytes)).open(options);
  for (const { name, data } of tensors) network.setTensor(name, 'value', Float32Array.from(data));
  const frames = Uint8Array.from(batch.frames);
  const masks = batch.masks.map((mask) => Float32Array.from(mask));
  const labels = Int32Array.from(batch.labels);
  const step = { ...settings, lambdas: Float64Array.from(settings.lambdas) };
  const { loss } = network.trainStep(frames, batch.samples, batch.steps, labels, masks, step);
  const { rates } = network.evaluate(frames, batch.samples, batch.steps);
  return { loss, rates: [...rates], after: tensors.map(({ name }) => [...network.getTensor(name, 'value')]) };
}`;

it('the engine in a browser computes a training step and an evaluation as in Node.js, to the bit', async () => {
  const state = livelyState(spec);
  const batch = randomBatch(spec);
  const [samples, steps] = batch.frames.shape;
  const names = stateEntries(spec).flatMap(({ name, dtype }) => (dtype === 'F32' ? [name] : []));
  const numbersOf = (data: ArrayLike<number | bigint>) => Array.from(data, Number);
  const session = await nativeEngine('wasm').open(spec, state);
  const { loss } = await session.trainStep(batch, { learningRate: 0.01, regulariseTau: 0.1 });
  const { rates } = await session.evaluate(batch.frames);
  const after = await session.state();
  session.dispose();

  const lambdas = spikingLayers(spec).map(() => 0.1);
  const script = await readFile(path.join(folder, 'instance.mjs'), 'base64');
  const given = {
    script: `data:text/javascript;base64,${script}`,
    wasm: await readFile(path.join(folder, 'plif.wasm'), 'base64'),
    options: { layers: spec.layers, input: spec.input, classes: spec.classes, winogradTile: 2 },
    tensors: names.map((name) => ({ name, data: numbersOf(state.get(name)!.data) })),
    batch: {
      samples,
      steps,
      frames: numbersOf(batch.frames.data),
      labels: numbersOf(batch.labels),
      masks: batch.dropoutMasks.map(numbersOf),
    },
    settings: { learningRate: 0.01, tauRate: 1, lambdas, regularise: 'w', loss: 'rate', step: 1 },
  };
  const page = await browser.newPage();
  const found = await page.evaluate(`(${inPage})(${JSON.stringify(given)})`);
  expect(found).toEqual({
    loss,
    rates: numbersOf(rates),
    after: names.map((name) => numbersOf(after.get(name)!.data)),
  });
});
