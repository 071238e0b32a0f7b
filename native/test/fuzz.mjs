// Calls the addon, or WebAssembly, with wrong types, lengths and numbers, detached and shared memory, in random combinations: every call must
// end in a value or an error with a code, and leave the network usable. A crash ends this process, which is what the caller looks for.
// `node native/test/fuzz.mjs [--engine native|wasm] [--rounds N] [--seed N]`
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { compile, instantiate } from '../wasm/instance.mjs';

const { values: options } = parseArgs({
  options: {
    engine: { type: 'string', default: 'native' },
    rounds: { type: 'string', default: '2000' },
    seed: { type: 'string', default: '1' },
  },
});
const addon = options.engine === 'wasm' ? loadWasm() : createRequire(import.meta.url)('../index.cjs');
const rounds = Number(options.rounds);
let state = Number(options.seed) >>> 0 || 1;

/** With methods that give promises, as the addon's do. */
function loadWasm() {
  const instance = instantiate(compile(readFileSync(new URL('../wasm/plif.wasm', import.meta.url))));
  const open = (given) => {
    const methods = Object.entries(instance.open(given));
    return Object.fromEntries(methods.map(([name, method]) => [name, async (...list) => method(...list)]));
  };
  return { ...instance, open, instructionSets: ['wasm'] };
}

/** xorshift32. */
function random(below) {
  state ^= state << 13;
  state >>>= 0;
  state ^= state >>> 17;
  state ^= state << 5;
  state >>>= 0;
  return state % below;
}
const pick = (list) => list[random(list.length)];

function detached() {
  const array = new Float32Array(8);
  structuredClone(array.buffer, { transfer: [array.buffer] });
  return array;
}

/** Values that no argument should have, and some that one might. */
const strange = [
  () => undefined,
  () => null,
  () => true,
  () => Number.NaN,
  () => Number.POSITIVE_INFINITY,
  () => -1,
  () => 0,
  () => 1.5,
  () => 2 ** 31,
  () => 2 ** 53,
  () => 10n,
  () => '',
  () => 'conv.0.weight',
  () => Symbol('symbol'),
  () => ({}),
  () => [],
  () => [1, 2, 3],
  () => () => 1,
  () =>
    new Proxy(
      {},
      {
        get: () => {
          throw new Error('a getter that throws');
        },
      },
    ),
  () => new Float32Array(0),
  () => new Float32Array(7),
  () => new Float64Array(8),
  () => new Uint8Array(new SharedArrayBuffer(64)),
  () => new BigInt64Array(4),
  () => new DataView(new ArrayBuffer(8)),
  () => new ArrayBuffer(8),
  detached,
  () => new Float32Array(new ArrayBuffer(64), 4, 3),
];

const neuron = () => ({
  kind: 'plif',
  tau: { per: 'neuron', mean: 2, std: 0 },
  threshold: 1,
  reset: { kind: 'hard', potential: 0, detach: true },
  surrogate: { kind: 'atan', alpha: 2, learnable: false },
});
const network = () => ({
  input: [2, 5, 6],
  classes: 3,
  threads: 1 + random(3),
  instructionSet: pick(addon.instructionSets),
  winogradTile: pick([2, 4]),
  layers: [
    { kind: 'conv', name: 'conv.0', inChannels: 2, outChannels: 4, kernel: 3, padding: 1 },
    { kind: 'batch-norm', name: 'conv.1', channels: 4, momentum: 0.1, epsilon: 1e-5 },
    { kind: 'neuron', name: 'conv.2', shape: [4, 5, 6], neuron: neuron() },
    { kind: 'pool', mode: pick(['max', 'average']), size: 2 },
    { kind: 'flatten' },
    { kind: 'dropout', probability: 0.5, features: 24 },
    { kind: 'linear', name: 'fc.0', inFeatures: 24, outFeatures: 6 },
    { kind: 'neuron', name: 'fc.1', shape: [6], neuron: neuron() },
    { kind: 'vote', group: 2 },
  ],
});
const pass = () => ({
  neuron: neuron(),
  shape: [2, 2, 3],
  current: new Float32Array(12).fill(1),
  coefficients: new Float32Array(12),
  logits: new Float32Array(3),
  threads: 1,
  instructionSet: pick(addon.instructionSets),
});

/** Replaces a random value somewhere in an object; the deeper, the less likely. */
function spoil(object) {
  const keys = Object.keys(object);
  if (keys.length === 0) return object;
  const key = pick(keys);
  const { value } = Object.getOwnPropertyDescriptor(object, key); // not by a getter, which may throw
  const deeper = typeof value === 'object' && value !== null && !ArrayBuffer.isView(value) && random(3) > 0;
  if (deeper) spoil(value);
  else if (random(6) === 0) delete object[key];
  else object[key] = pick(strange)();
  return object;
}

const stepArguments = (training) => [
  pick([new Uint8Array(2 * 3 * 60), new Uint16Array(2 * 3 * 60), new Float32Array(2 * 3 * 60)]),
  2,
  3,
  ...(training
    ? [
        Int32Array.of(0, 2),
        [new Float32Array(48).fill(2)],
        {
          learningRate: 1e-3,
          tauRate: pick([0, 1, 10]),
          lambdas: Float64Array.of(0.1, 0.2),
          regularise: pick(['w', 'tau']),
          loss: pick(['rate', 'step']),
          step: 1,
          keepGradients: true,
        },
      ]
    : []),
];
const calls = {
  setTensor: () => [
    pick(['conv.0.weight', 'conv.2.w', 'fc.0.weight']),
    pick(['value', 'first']),
    new Float32Array(72),
  ],
  getTensor: () => [pick(['conv.0.weight', 'conv.1.running_mean']), pick(['value', 'second', 'gradient'])],
  bytesFor: () => [pick([1, 2, 3, 2 ** 12, 2 ** 24]), pick([1, 2, 3, 2 ** 15, 2 ** 20]), random(2) === 0],
  reserve: () => [1 + random(4), 1 + random(4), random(2) === 0],
  trainStep: () => stepArguments(true),
  evaluate: () => stepArguments(false),
  abort: () => [],
  dispose: () => [],
};

/** Arguments of the functions for recordings. */
const eventCalls = {
  areRegular: () => [new Int32Array(16), pick([0, 2, 16]), pick([0, 16, 18]), 127, 127, false],
  countEvents: () => [
    new Uint8Array(pick([0, 8])),
    new Int32Array(pick([8, 1 << 16])).fill(pick([0, 7, 8, -1, 2 ** 31 - 1])),
    new Int32Array(pick([8, 1 << 15])).fill(pick([0, 2 ** 31 - 1])),
    new Int32Array(16).fill(-1),
    pick([0, 2]),
    pick([2, 16]),
  ],
};

const codes = new Map();
async function attempt(what, call) {
  try {
    await call();
    codes.set(`${what}: a value`, (codes.get(`${what}: a value`) ?? 0) + 1);
  } catch (error) {
    const fromJavaScript = error instanceof TypeError || /getter that throws/.test(String(error?.message));
    if (!(error instanceof Error) || !(fromJavaScript || /^PLIF_/.test(error.code))) {
      console.error(`${what}: unexpected`, error);
      process.exit(1);
    }
    const key = `${what}: ${error.code ?? error.name}`;
    codes.set(key, (codes.get(key) ?? 0) + 1);
  }
}

/** Options whose getters call the network that reads them; the steps that they start are added to `pending`. */
function reentrant(network, options, pending) {
  const call = pick([
    () => network.dispose(),
    () => network.abort?.(),
    () => pending.push(network.trainStep(...stepArguments(true)).catch(() => {})),
    () => pending.push(network.evaluate(...stepArguments(false)).catch(() => {})),
    () => network.reserve?.(2, 2, true),
  ]);
  const key = pick(Object.keys(options));
  const value = options[key];
  return Object.defineProperty({ ...options }, key, {
    configurable: true,
    enumerable: true,
    get: () => {
      call();
      return value;
    },
    set: () => {},
  });
}

for (let round = 0; round < rounds; round++) {
  const spoiled = random(2) === 0;
  await attempt('open', async () => {
    addon.open(spoiled ? spoil(network()) : pick([network(), ...strange.map((make) => make())]));
  });
  await attempt('runNeurons', () => addon.runNeurons(random(4) === 0 ? pick(strange)() : spoil(pass())));
  const good = addon.open(network());
  const pending = [];
  for (let i = 0; i < 4; i++) {
    const method = pick(Object.keys(calls).filter((name) => name in good));
    const list = calls[method]();
    if (method === 'trainStep' && random(4) === 0) list[5] = reentrant(good, list[5], pending);
    if (random(3) > 0 && list.length > 0) {
      const at = random(list.length);
      if (typeof list[at] === 'object' && !ArrayBuffer.isView(list[at]) && random(2) === 0) spoil(list[at]);
      else list[at] = pick(strange)();
    }
    if (random(8) === 0) list.length = random(list.length + 1);
    // Some calls do not wait for the step before.
    const done = attempt(method, async () => good[method](...list));
    if (random(2) === 0) await done;
    else pending.push(done);
  }
  await Promise.all(pending);
  await attempt('afterwards', async () => {
    try {
      await good.evaluate(...stepArguments(false));
    } catch (error) {
      if (!/disposed of/.test(error.message))
        throw new Error('a refused call broke the network', { cause: error });
    }
  });
  for (const [method, make] of Object.entries(eventCalls)) {
    if (!(method in addon)) continue;
    const list = make();
    if (random(2) === 0) list[random(list.length)] = pick(strange)();
    if (random(8) === 0) list.length = random(list.length + 1);
    await attempt(method, () => addon[method](...list));
  }
  await attempt('other this', async () => good.evaluate.call({}, new Uint8Array(60), 1, 1));
  await good.dispose();
}
for (const [what, count] of [...codes].sort()) console.log(`${String(count).padStart(7)}  ${what}`);
const errors = [...codes]
  .filter(([what]) => !what.endsWith('a value'))
  .reduce((sum, [, count]) => sum + count, 0);
console.log(`${rounds} rounds, ${errors} errors, no crash`);
