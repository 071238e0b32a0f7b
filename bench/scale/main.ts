import { mkdir, readFile, rm } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { compete } from '../train/contestant.ts';
import type { EngineTask } from '../train/engine-child.ts';
import type { TauPer, Workload, WorkloadFiles } from '../train/workload.ts';
import { workloadFiles, writeWorkload } from '../train/workload.ts';
import { fastestOf, listPhases, predict, type Run, readSteps, workOfStep } from './trace.ts';

const help = `How a training step of the native engine would scale to many cores. The work is cut into items as for so many cores, and one thread does them all;
from the processor time of each item follows how long so many cores would take.

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
    const options = { workload, files, isa: values.isa, engineChild, repeats, folder };

    console.log(`\nBatch ${batch}, τ per ${values.tau}`);
    if (!values['no-runs']) {
      const real = await timeSteps([1, 2], options);
      const [one, two] = await traceSteps([1, 2], options);
      const computed = [predict(one!, 1, 0), predict(two!, 2, overhead)];
      const show = ([alone, shared]: readonly number[]) =>
        `${seconds(alone!)} on 1 thread, ${seconds(shared!)} on 2 (${(alone! / shared!).toFixed(2)} times as fast)`;
      console.log(`  real steps: ${show(real)}; computed: ${show(computed)}`);
    }
    console.log('\n  cores  step        speed-up  efficiency  work against one core');
    let cut: readonly Run[] = [];
    for (const threads of numbers(values.threads)) {
      // In turns, so that a clock that changes between two measurements does not count.
      const [alone, parts] = await traceSteps([1, threads], options);
      cut = parts!;
      const speedUp = predict(cut, 1, 0) / predict(cut, threads, overhead);
      console.log(
        `  ${String(threads).padStart(5)}  ${seconds(predict(cut, threads, overhead)).padEnd(10)}  ${speedUp.toFixed(1).padStart(8)}  ` +
          `${percent(speedUp / threads).padStart(10)}  ${percent(workOfStep(cut) / workOfStep(alone!)).padStart(8)}`,
      );
    }
    printPhases(cut, numbers(values.threads).at(-1)!);
  }
}

function printPhases(step: readonly Run[], threads: number): void {
  const even = workOfStep(step) / threads;
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

interface StepOptions {
  readonly workload: Workload;
  readonly files: WorkloadFiles;
  readonly isa: string;
  readonly engineChild: string;
  readonly repeats: number;
  readonly folder: string;
}

/** The items of a step as cut for each number of threads, each item with its shortest time in some steps. */
async function traceSteps(cuts: readonly number[], options: StepOptions): Promise<Run[][]> {
  const traces = cuts.map((_, i) => path.join(options.folder, `trace-${i}`));
  await Promise.all(traces.map((trace) => rm(trace, { force: true })));
  await timeSteps(cuts, options, traces);
  return Promise.all(
    traces.map(async (trace) => {
      // The first step took memory into use.
      const step = fastestOf(readSteps(await readFile(trace, 'utf8')).slice(1));
      if (step.length === 0) throw new Error(`the engine left no trace in ${trace}`);
      return step;
    }),
  );
}

/** The wall time of the fastest of some steps with each number of threads, which take turns; in s. */
async function timeSteps(
  threads: readonly number[],
  { workload, files, isa, engineChild, repeats }: StepOptions,
  traces?: readonly string[],
): Promise<number[]> {
  const task: EngineTask = {
    engine: 'native',
    workload,
    files,
    mode: 'train',
    samples: workload.batch,
    warmup: 1,
  };
  const results = await compete(
    threads.map((count, i) => ({
      label: `${count} threads`,
      command: process.execPath,
      args: [engineChild, JSON.stringify(task)],
      env: {
        REPRO_THREADS: String(count),
        REPRO_ISA: isa,
        ...(traces && { REPRO_TRACE: traces[i]! }),
      },
    })),
    repeats,
  );
  if (results.length < threads.length) throw new Error('the engine did not start; see above');
  return results.map(({ steps }) => Math.min(...steps.map(({ wall }) => wall)));
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
