// Times a training step and an evaluation on the plain CPU backend: typed-array kernels against tfjs's own operations, same
// networks, same data, one run. Usage: node bench/engine.mjs [--steps N] [--kernels-only]
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';

const { values: options } = parseArgs({
  options: {
    steps: { type: 'string', default: '10' },
    'kernels-only': { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (options.help) {
  console.log(
    'Usage: node bench/engine.mjs [--steps N] [--kernels-only]   (default: 10 steps of both implementations)',
  );
  process.exit();
}
const root = fileURLToPath(new URL('..', import.meta.url));
const { createCpuEngine, kernelOperations, referenceOperations, initialState, buildNetwork, dropoutLayers } =
  await load();

/** Small networks for gestures and for N-MNIST; `batches` make an epoch. */
const cases = [
  {
    name: 'gestures: 3 x 16 channels on 2 x 32 x 32',
    network: { input: [2, 32, 32], classes: 11, channels: 16, layers: 3, hidden: 128 },
    samples: 8,
    batches: 36,
  },
  {
    name: 'digits: 2 x 16 channels on 2 x 34 x 34',
    network: { input: [2, 34, 34], classes: 10, channels: 16, layers: 2 },
    samples: 16,
    batches: 53,
  },
];
const steps = 8;
const processor = cpus()[0]?.model ?? 'unknown processor';
console.log(
  `Node ${process.versions.node}, ${processor}, ${availableParallelism()} cores; T = ${steps}, one thread`,
);

for (const one of cases) {
  const { network, samples, batches } = one;
  const [, size] = network.input;
  const spec = buildNetwork({
    ...network,
    neuron: 'plif',
    tau: { per: 'neuron', mean: 2, std: 0.1 },
    reset: { kind: 'hard', detach: true },
    surrogate: { kind: 'atan', alpha: 2, learnable: false },
    pooling: 'max',
  });
  const random = generator(1);
  const state = initialState(spec, 1);
  const batch = {
    frames: { shape: [samples, steps, 2, size, size], data: movingBlobs(samples, size, random) },
    labels: Int32Array.from({ length: samples }, (_, i) => i % network.classes),
    dropoutMasks: dropoutLayers(spec).map(({ features }) =>
      Float32Array.from({ length: samples * features }, () => (random() < 0.5 ? 0 : 2)),
    ),
  };
  const density = batch.frames.data.filter((count) => count > 0).length / batch.frames.data.length;
  console.log(`\n${one.name}, batch ${samples} (${(100 * density).toFixed(0)} % of the pixels have events)`);

  const kernels = await measure(kernelOperations, spec, state, batch, Number(options.steps));
  report('typed-array kernels', kernels);
  console.log(`  an epoch of ${batches} steps: ${((batches * kernels.step) / 1000).toFixed(1)} s`);
  if (!options['kernels-only']) {
    const composed = await measure(
      referenceOperations,
      spec,
      state,
      batch,
      Math.min(3, Number(options.steps)),
    );
    report('tfjs operations', composed);
    console.log(
      `  ratio: ${(composed.processor / kernels.processor).toFixed(0)} x the processor time of a step`,
    );
  }
  console.log(`  spiking: ${kernels.spikeRates.map((rate) => `${(100 * rate).toFixed(0)} %`).join(', ')}`);
}

/** Median times in ms, and processor time of a step (nearly what an idle machine would take), after three warm-up steps (one on the slow path). */
async function measure(operations, spec, state, batch, count) {
  const session = await createCpuEngine('bench', operations).open(spec, state);
  const hyperparameters = { learningRate: 0.001, regulariseTau: 0.01 };
  for (let i = 0; i < (count > 3 ? 3 : 1); i++) await session.trainStep(batch, hyperparameters);
  const training = [];
  const evaluation = [];
  const processor = [];
  let spikeRates = [];
  for (let i = 0; i < count; i++) {
    const used = process.cpuUsage();
    let start = performance.now();
    ({ spikeRates } = await session.trainStep(batch, hyperparameters));
    training.push(performance.now() - start);
    const { user, system } = process.cpuUsage(used);
    processor.push((user + system) / 1000);
    start = performance.now();
    await session.evaluate(batch.frames);
    evaluation.push(performance.now() - start);
  }
  session.dispose();
  return { step: median(training), processor: median(processor), evaluation: median(evaluation), spikeRates };
}

function report(what, { step, processor, evaluation }) {
  console.log(
    `  ${what.padEnd(20)} step ${step.toFixed(0).padStart(6)} ms (processor ${processor.toFixed(0)} ms)   evaluation ${evaluation.toFixed(0).padStart(6)} ms`,
  );
}

function median(values) {
  return values.sort((a, b) => a - b)[Math.floor(values.length / 2)];
}

/** Event counts of a blob moving across the sensor, with noise: roughly what a tenth of a gesture looks like. */
function movingBlobs(samples, size, random) {
  const data = new Uint8Array(samples * steps * 2 * size * size);
  let at = 0;
  for (let sample = 0; sample < samples; sample++) {
    const [x0, y0, vx, vy] = [random(), random(), random() - 0.5, random() - 0.5];
    for (let step = 0; step < steps; step++) {
      const cx = size * (0.25 + 0.5 * x0 + (vx * step) / steps);
      const cy = size * (0.25 + 0.5 * y0 + (vy * step) / steps);
      for (let polarity = 0; polarity < 2; polarity++) {
        for (let y = 0; y < size; y++) {
          for (let x = 0; x < size; x++) {
            const distance = Math.hypot(x - cx, y - cy) / size;
            const chance = distance < 0.3 ? 0.6 : 0.05;
            data[at++] = random() < chance ? 1 + Math.floor(4 * random()) : 0;
          }
        }
      }
    }
  }
  return data;
}

/** Marsaglia's xorshift32: the same data on every machine. */
function generator(seed) {
  let state = seed * 2654435769;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/** Compiles the engine, so that it is measured as the plain JavaScript that the command line runs. */
async function load() {
  const folder = await mkdtemp(`${root}node_modules/.bench-`);
  try {
    await build({
      stdin: {
        contents: [
          'engines/tfjs/engine',
          'engines/tfjs/kernel-operations',
          'engines/tfjs/operations/reference-operations',
          'snn/initialise',
          'snn/networks',
          'snn/spec',
        ]
          .map((path) => `export * from './src/${path}.ts';`)
          .join('\n'),
        resolveDir: root,
      },
      outfile: `${folder}/engine.mjs`,
      bundle: true,
      packages: 'external',
      platform: 'node',
      format: 'esm',
      logLevel: 'error',
    });
    return await import(`${folder}/engine.mjs`);
  } finally {
    await rm(folder, { recursive: true });
  }
}
