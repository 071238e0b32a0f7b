/*
 * Runs one of the project's engines as a contestant: a process of its own, so that its peak memory is its own. It follows
 * the protocol of contestant.ts, as pytorch_peer.py does.
 */
import { writeFile } from 'node:fs/promises';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { describeError } from '../../src/base/errors.ts';
import { writeSafetensors } from '../../src/formats/safetensors.ts';
import { describeEngine, type EngineSession, type Forward } from '../../src/network/engines/engine.ts';
import { chooseEngine, openNamedEngine } from '../../src/network/engines/selection/engines.ts';
import {
  hyperparameters,
  readBatch,
  readState,
  thesisNetwork,
  type Workload,
  type WorkloadFiles,
} from './workload.ts';

export interface EngineTask {
  readonly engine: string;
  readonly workload: Workload;
  readonly files: WorkloadFiles;
  /** `calibrate` only writes `files.calibrated`, by an engine of the CPU. */
  readonly mode: 'train' | 'evaluate' | 'calibrate';
  /** Only the first so many samples of the batch. */
  readonly samples: number;
  /** Untimed steps, at least the first one. */
  readonly warmup: number;
}

async function main(task: EngineTask): Promise<void> {
  const { workload, files, mode, samples } = task;
  const isCalibration = mode === 'calibrate';
  const engine = await (isCalibration ? chooseEngine() : openNamedEngine(task.engine));
  const state = await readState(mode === 'evaluate' ? files.calibrated : files.state);
  const spec = thesisNetwork(workload);
  const session = await engine.open(spec, state);
  if (isCalibration) {
    const batch = await readBatch(workload, files, samples);
    // Each time step leaves nine tenths of the running statistics: after 44, 1 % is left of the initial ones.
    for (let steps = 0; steps < 44; steps += workload.steps)
      await session.trainStep(batch, { learningRate: 0, regulariseTau: 0 });
    await writeFile(files.calibrated, writeSafetensors(await session.state()));
    return;
  }
  const run = await prepareStep(session, task);

  const { loss, rates, spikeRates } = await run();
  for (let i = 1; i < task.warmup; i++) await run();
  print({ loss, rates: [...rates], densities: spikeRates });

  for await (const _line of createInterface({ input: process.stdin })) {
    const started = performance.now();
    const used = process.cpuUsage();
    const { loss } = await run();
    const { user, system } = process.cpuUsage(used);
    print({ wall: (performance.now() - started) / 1e3, processor: (user + system) / 1e6, loss });
  }
  session.dispose();
  const name = describeEngine(engine.description);
  const peakBytes = process.resourceUsage().maxRSS * 1024;
  print({ name: `${name} (${samples} samples)`, peakBytes });
}

async function prepareStep(
  session: EngineSession,
  { workload, files, mode, samples }: EngineTask,
): Promise<() => Promise<Forward & { readonly loss: number | null }>> {
  const batch = await readBatch(workload, files, samples);
  if (mode === 'train') return () => session.trainStep(batch, hyperparameters);
  return async () => ({ ...(await session.evaluate(batch.frames)), loss: null });
}

function print(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

await main(JSON.parse(process.argv[2] ?? '')).catch((error) => {
  console.error(describeError(error).replace(/\n\s*/g, ' '));
  process.exitCode = 1;
});
// An engine's threads must not keep a finished contestant alive.
process.exit();
