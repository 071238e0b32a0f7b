import { availableParallelism, cpus, loadavg } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { NpyCountsWriter } from '../../src/formats/npy-file.ts';
import { drawDropoutMasks } from '../../src/network/dropout-masks.ts';
import type { EngineSession, Frames } from '../../src/network/engines/engine.ts';
import { chooseEngine } from '../../src/network/engines/selection/engines.ts';
import { initialState } from '../../src/network/initialise.ts';
import { buildNetwork } from '../../src/network/networks.ts';
import type { NetworkSpec } from '../../src/network/spec.ts';
import { TorchRandom } from '../../src/network/torch-random.ts';
import { type ClipSource, readAhead } from '../../src/training/clip-source.ts';
import { openClipSource } from '../../src/training/open-frames.ts';

const help = `Trains on shuffled batches of a frame cache in a file, simulated noise, and prints how much of the time goes into waiting for
them: with reading ahead, as training does, and without.

Usage: npm run bench:batches -- [--clips N] [--steps N] [--quick]
  --clips N   rows of the cache (default 1464: the full profile's, 960 MB)
  --steps N   training steps of each kind (default 6)
  --quick     64 clips, 3 steps`;

/** What is trained: the thesis' network with its batch, and the quick profile's, whose steps are short. */
const cases = [
  { name: 'full profile', T: 20, size: 128, batch: 16, channels: 128, layers: 5, hidden: 512 },
  { name: 'quick profile', T: 16, size: 32, batch: 8, channels: 32, layers: 3, hidden: 128 },
] as const;

type Case = (typeof cases)[number];

export async function main({ args, folder }: { readonly args: readonly string[]; readonly folder: string }) {
  const { values } = parseArgs({
    args: [...args],
    options: {
      clips: { type: 'string' },
      steps: { type: 'string' },
      quick: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(help);
    return;
  }
  const clips = Number(values.clips ?? (values.quick ? 64 : 1464));
  const count = Number(values.steps ?? (values.quick ? 3 : 6));
  const engine = await chooseEngine('native', { threads: availableParallelism() });
  console.log(
    `Node ${process.versions.node}, ${cpus()[0]?.model.trim()}, ${availableParallelism()} cores, load ${loadavg()[0]!.toFixed(2)}; ` +
      `${clips} clips, ${count} steps`,
  );
  for (const one of cases) {
    const file = path.join(folder, `${one.size}.npy`);
    await writeNoise(file, one, clips);
    const source = await openClipSource(file);
    const spec = buildNetwork({
      input: [2, one.size, one.size],
      classes: 11,
      channels: one.channels,
      layers: one.layers,
      hidden: one.hidden,
      neuron: 'plif',
      tau: { per: 'layer', mean: 2, std: 0 },
      reset: { kind: 'hard', detach: true },
      surrogate: { kind: 'atan', alpha: 2, learnable: false },
      pooling: 'max',
    });
    const session = await engine.open(spec, initialState(spec, 1));
    try {
      for (const ahead of [false, true]) {
        const { waitedMs, totalMs } = await train(session, spec, source, one, { ahead, clips, count });
        const share = (100 * waitedMs) / totalMs;
        console.log(
          `${one.name.padEnd(14)} ${ahead ? 'reading ahead ' : 'reading first '} ${(totalMs / count).toFixed(0).padStart(6)} ms a step, ` +
            `${(waitedMs / count).toFixed(1).padStart(6)} ms of it waiting: ${share.toFixed(2)} %`,
        );
      }
    } finally {
      session.dispose();
      await source.close();
    }
  }
}

/** A tenth of the pixels have one event. */
async function writeNoise(file: string, { T, size }: Case, clips: number): Promise<void> {
  const writer = await NpyCountsWriter.create(file, [T, 2, size, size]);
  const counts = new Uint32Array(T * 2 * size * size);
  const random = new TorchRandom(1);
  for (let row = 0; row < clips; row++) {
    counts.fill(0);
    for (let i = 0; i < counts.length / 10; i++) counts[Math.floor(random.uniform() * counts.length)] = 1;
    await writer.write(row, counts);
  }
  await writer.finish(clips);
}

async function train(
  session: EngineSession,
  spec: NetworkSpec,
  source: ClipSource,
  { batch }: Case,
  { ahead, clips, count }: { readonly ahead: boolean; readonly clips: number; readonly count: number },
): Promise<{ readonly waitedMs: number; readonly totalMs: number }> {
  const order = new TorchRandom(2).permutation(clips);
  // One more, the first, which warms up and for which nothing can be read ahead.
  const read = (index: number): Promise<Frames> =>
    source.read(Int32Array.from({ length: batch }, (_, i) => order[(index * batch + i) % clips]!));
  const batches = ahead ? readAhead(0, count + 1, read) : readFirst(count + 1, read);
  let waitedMs = 0;
  let startedMs = 0;
  for (let step = 0; ; step++) {
    if (step === 1) startedMs = performance.now();
    const beforeMs = performance.now();
    const next = await batches.next();
    if (next.done === true) break;
    if (step > 0) waitedMs += performance.now() - beforeMs;
    const labels = Int32Array.from({ length: batch }, (_, i) => i % spec.classes);
    await session.trainStep(
      {
        frames: next.value,
        labels,
        dropoutMasks: drawDropoutMasks(spec, batch, { seed: 1, epoch: 0, batch: step }),
      },
      { learningRate: 1e-3, regulariseTau: 0 },
    );
  }
  return { waitedMs, totalMs: performance.now() - startedMs };
}

async function* readFirst(
  count: number,
  read: (index: number) => Promise<Frames>,
): AsyncGenerator<Frames, void> {
  for (let index = 0; index < count; index++) yield await read(index);
}
