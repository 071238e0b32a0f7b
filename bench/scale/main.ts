import { mkdir, readFile, rm } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { compete } from '../train/contestant.ts';
import type { EngineTask } from '../train/engine-child.ts';
import type { TauPer, Workload, WorkloadFiles } from '../train/workload.ts';
import { workloadFiles, writeWorkload } from '../train/workload.ts';
import { fastestOf, listPhases, predict, type Run, readSteps, workOf } from './trace.ts';

const help = `How a training step of the native engine would scale to many cores. Every item of work is timed by the processor time of its thread, with
as many threads as there would be cores, so that it is cut as it would be there; from these times follows how long so many cores would take.

Usage: npm run bench:scale [-- options]
  --batch 16,32             samples
  --threads 8,16,32,64      cores to compute for
  --tau neuron              or layer
  --isa avx2                the instruction set; avx512 is faster, so losses are a larger share
  --overhead 5              µs to start and end a run of items on many threads
  --repeats 3               steps; of each item the shortest time counts
  --steps 20 --size 128 --channels 128 --layers 5    another network
  --no-runs                 without the real runs on one and two threads that show how far to trust it: they need a quiet machine`;

export async function main({
  args,
  folder,
  engineChild,
}: {
  readonly args: readonly string[];
  readonly folder: string;
  readonly engineChild: string;
}) {
  const text = (value: string) => ({ type: 'string', default: value }) as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      batch: text('16,32'),
      threads: text('8,16,32,64'),
      tau: text('neuron'),
      isa: text('avx2'),
      overhead: text('5'),
      repeats: text('3'),
      steps: text('20'),
      size: text('128'),
      channels: text('128'),
      layers: text('5'),
      'no-runs': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(help);
    return;
  }
  const numbers = (list: string) => list.split(',').map(Number);
  const overhead = Number(values.overhead) / 1e6;
  const repeats = Number(values.repeats);
  console.log(
    `Node ${process.versions.node}, ${cpus()[0]?.model.trim()}, ${availableParallelism()} cores, load ${loadavg()[0]!.toFixed(2)}; ${values.isa}`,
  );
  for (const batch of numbers(values.batch)) {
    const workload: Workload = {
      input: 'blob',
      tau: values.tau as TauPer,
      batch,
      gain: 1,
      steps: Number(values.steps),
      size: Number(values.size),
      channels: Number(values.channels),
      layers: Number(values.layers),
    };
    const files = workloadFiles(path.join(folder, 'workload'));
    await mkdir(path.dirname(files.frames), { recursive: true });
    await writeWorkload(workload, files);
    const measure = (threads: number) =>
      measureStep(threads, { workload, files, isa: values.isa, folder, engineChild, repeats });

    const alone = await measure(1);
    const whole = predict(alone.step, 1, 0);
    console.log(
      `\nBatch ${batch}, τ per ${values.tau}: ${seconds(whole)} of work, ${alone.step.length} runs\n`,
    );
    if (!values['no-runs']) {
      const two = await measure(2);
      const predicted = [predict(alone.step, 1, 0), predict(two.step, 2, overhead)];
      console.log(
        `  real steps: ${seconds(alone.wall)} on 1 thread, ${seconds(two.wall)} on 2; computed: ${predicted.map(seconds).join(' and ')}\n`,
      );
    }
    console.log('  cores  step        speed-up  efficiency  work against one thread');
    let last: readonly Run[] = alone.step;
    for (const threads of numbers(values.threads)) {
      last = (await measure(threads)).step;
      const time = predict(last, threads, overhead);
      const work = last.reduce((sum, run) => sum + workOf(run), 0);
      const before = alone.step.reduce((sum, run) => sum + workOf(run), 0);
      console.log(
        `  ${String(threads).padStart(5)}  ${seconds(time).padEnd(10)}  ${(whole / time).toFixed(1).padStart(8)}  ` +
          `${percent(whole / time / threads).padStart(10)}  ${percent(work / before).padStart(8)}`,
      );
    }
    printPhases(last, numbers(values.threads).at(-1)!);
  }
}

function printPhases(step: readonly Run[], threads: number): void {
  const even = step.reduce((sum, run) => sum + workOf(run), 0) / threads;
  console.log(
    `\n  phase                                  runs  items a run  longest    work        serial     lost on ${threads} cores, % of an even share of all`,
  );
  for (const one of listPhases(step, threads)) {
    const items = one.fewest === one.most ? `${one.most}` : `${one.fewest}-${one.most}`;
    console.log(
      `  ${one.phase.padEnd(38)} ${String(one.runs).padStart(4)}  ${items.padStart(11)}  ${seconds(one.longest).padEnd(9)}  ` +
        `${seconds(one.work).padEnd(10)}  ${seconds(one.serial).padEnd(9)}  ${percent(one.lost / even).padStart(6)}`,
    );
  }
}

/** The shortest times of some traced steps, and the wall time of the fastest of them. */
async function measureStep(
  threads: number,
  {
    workload,
    files,
    isa,
    folder,
    engineChild,
    repeats,
  }: {
    readonly workload: Workload;
    readonly files: WorkloadFiles;
    readonly isa: string;
    readonly folder: string;
    readonly engineChild: string;
    readonly repeats: number;
  },
): Promise<{ readonly step: readonly Run[]; readonly wall: number }> {
  const trace = path.join(folder, 'trace');
  await rm(trace, { force: true });
  const task: EngineTask = {
    engine: 'native',
    workload,
    files,
    mode: 'train',
    samples: workload.batch,
    warmup: 1,
  };
  const env = { REPRO_THREADS: String(threads), REPRO_ISA: isa, REPRO_TRACE: trace };
  const [result] = await compete(
    [
      {
        label: `${threads} threads`,
        command: process.execPath,
        args: [engineChild, JSON.stringify(task)],
        env,
      },
    ],
    repeats,
  );
  if (result === undefined) throw new Error('the engine did not start; see above');
  // The first step took memory into use.
  const steps = readSteps(await readFile(trace, 'utf8')).slice(1);
  const step = fastestOf(steps);
  if (step.length === 0) throw new Error(`the engine left no trace in ${trace}`);
  return { step, wall: Math.min(...result.steps.map(({ wall }) => wall)) };
}

function seconds(value: number): string {
  return value >= 1
    ? `${value.toFixed(2)} s`
    : value >= 1e-3
      ? `${(value * 1e3).toFixed(2)} ms`
      : `${(value * 1e6).toFixed(0)} µs`;
}

function percent(value: number): string {
  return `${(100 * value).toFixed(1)} %`;
}
