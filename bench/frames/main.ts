import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { gzipSync } from 'node:zlib';
import { findPython } from '../python.ts';
import { Reader, runStage } from './children.ts';
import { GESTURES } from './gestures.ts';
import { help, type Options, parseOptions } from './options.ts';
import type { ReaderAnswer, ReaderTask } from './reader-child.ts';
import { KINDS, type MadeRecording, writeRecordings } from './recordings.ts';
import type { StageAnswer, StageTask } from './stage-child.ts';

interface BenchPlaces {
  readonly args: readonly string[];
  readonly folder: string;
  readonly readerChild: string;
  readonly stageChild: string;
  readonly peer: string;
}

const WARM_UPS = 6;
/** As in profile full. */
const SETTINGS = { steps: 20, splitBy: 'number', downsample: 1, invalidEvents: 'keep' } as const;

export async function main({ args, readerChild, stageChild, peer, ...places }: BenchPlaces) {
  const options = parseOptions(args);
  if (options === undefined) {
    console.log(help);
    return;
  }
  const python = findPython('numpy', options.python);
  const folder =
    options.folder === undefined ? places.folder : await mkdtemp(path.join(options.folder, 'bench-'));
  try {
    console.log(
      `Node ${process.versions.node}, ${cpus()[0]?.model.trim()}, ${availableParallelism()} cores; load average ${loadavg()[0]!.toFixed(2)}`,
    );
    const root = path.join(folder, 'recordings');
    const made = writeRecordings(root, options.recordings, options.events);
    const bytes = made.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    console.log(
      `${made.length} simulated recordings, ${millions(options.events)} events and ${megabytes(bytes / made.length)} each\n`,
    );
    const readers = {
      ours: new Reader(process.execPath, [readerChild]),
      numpy: new Reader(python, ['-B', peer]),
    };
    await compareReaders(readers, made, folder, options);
    for (const reader of Object.values(readers)) reader.end();
    const run = (what: StageTask['what'], threads: number): StageAnswer =>
      runStage(stageChild, { what, root, output: folder, threads, settings: SETTINGS });
    measureStages(run, made, options);
    await describeCache(folder, run('write', 1));
  } finally {
    if (options.folder !== undefined) await rm(folder, { recursive: true, force: true });
  }
}

/**
 * One core each, by turns; the files are in the system's cache. A turn is several recordings, as a stage reads them one after the other:
 * after every single one, the other would have emptied the processor's caches.
 */
async function compareReaders(
  readers: Readonly<Record<'ours' | 'numpy', Reader>>,
  made: readonly MadeRecording[],
  folder: string,
  { repeats }: Options,
): Promise<void> {
  console.log('One core, file to frames, by turns: million events a second, medians');
  // The first recordings are slow in both: pages of memory, and here the compiler.
  for (let i = 0; i < WARM_UPS; i++) {
    for (const reader of Object.values(readers)) await reader.ask(taskOf(made[i % made.length]!, 'number'));
  }
  for (const kind of KINDS) {
    for (const splitBy of ['number', 'time'] as const) {
      const own = made.filter((recording) => recording.kind === kind);
      const tasks = own.map((recording) => taskOf(recording, splitBy));
      await refuseDifferent(readers, tasks[0]!, folder);
      const speeds = { ours: [] as number[], numpy: [] as number[] };
      const ratios: number[] = [];
      const processor: number[] = [];
      for (let round = 0; round < repeats; round++) {
        const ours = await takeTurn(readers.ours, tasks);
        const numpy = await takeTurn(readers.numpy, tasks);
        speeds.ours.push(ours.events / ours.seconds / 1e6);
        speeds.numpy.push(numpy.events / numpy.seconds / 1e6);
        ratios.push(numpy.seconds / ours.seconds);
        processor.push(numpy.processorSeconds / ours.processorSeconds);
      }
      console.log(
        `  ${kind.padEnd(8)} by ${splitBy.padEnd(7)} this project ${median(speeds.ours).toFixed(0).padStart(4)}   ` +
          `NumPy ${median(speeds.numpy).toFixed(0).padStart(3)}   ratio ${median(ratios).toFixed(1)} (${spread(ratios)}), of processor time ${median(processor).toFixed(1)} (${spread(processor)}, ${ratios.length} pairs)`,
      );
    }
  }
}

async function takeTurn(reader: Reader, tasks: readonly ReaderTask[]): Promise<ReaderAnswer> {
  // Not counted: it finds the caches as the other left them.
  await reader.ask(tasks[0]!);
  let sum: ReaderAnswer = { seconds: 0, processorSeconds: 0, events: 0 };
  for (const task of tasks) {
    const { seconds, processorSeconds, events } = await reader.ask(task);
    sum = {
      seconds: sum.seconds + seconds,
      processorSeconds: sum.processorSeconds + processorSeconds,
      events: sum.events + events,
    };
  }
  return sum;
}

function taskOf({ file, labels }: MadeRecording, splitBy: ReaderTask['splitBy']): ReaderTask {
  const spans = labels.map(({ startUs, endUs }) => [startUs, endUs] as const);
  return { file, ...GESTURES.sensor, steps: SETTINGS.steps, splitBy, spans };
}

/** @throws if they do not give the same frames */
async function refuseDifferent(
  readers: Readonly<Record<string, Reader>>,
  task: ReaderTask,
  folder: string,
): Promise<void> {
  const sums: string[] = [];
  for (const [name, reader] of Object.entries(readers)) {
    const save = path.join(folder, `${name}.frames`);
    await reader.ask({ ...task, save });
    sums.push(
      createHash('md5')
        .update(await readFile(save))
        .digest('hex'),
    );
    await rm(save);
  }
  if (new Set(sums).size !== 1) throw new Error(`frames differ: ${task.file}, by ${task.splitBy}`);
}

type Run = (what: StageTask['what'], threads: number, where?: string) => StageAnswer;

function measureStages(run: Run, made: readonly MadeRecording[], { repeats, threads }: Options): void {
  const bytes = made.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const events = made.reduce((sum, recording) => sum + recording.events, 0);
  console.log('\nAll recordings, in processes as stages are, by turns: medians');
  const counts = threads === 1 ? [1] : [1, threads];
  for (const count of counts) {
    const times: Record<'read' | 'md5' | 'verify' | 'frames', StageAnswer[]> = {
      read: [],
      md5: [],
      verify: [],
      frames: [],
    };
    for (let round = 0; round < repeats; round++) {
      for (const what of ['read', 'md5', 'verify', 'frames'] as const) times[what].push(run(what, count));
    }
    const seconds = (what: keyof typeof times) => median(times[what].map((one) => one.seconds));
    const ratios = times.verify.map((one, i) => one.seconds / times.md5[i]!.seconds);
    for (const what of ['read', 'md5', 'verify', 'frames'] as const) {
      const peak = Math.max(...times[what].map(({ peakBytes }) => peakBytes));
      const rate = what === 'frames' ? `, ${(events / seconds(what) / 1e6).toFixed(0)} million events/s` : '';
      const compared =
        what === 'verify'
          ? `, ${median(ratios).toFixed(2)} of the time of md5 alone (${spread(ratios)})`
          : '';
      console.log(
        `  ${count} thread${count === 1 ? ' ' : 's'}  ${what.padEnd(6)} ${seconds(what).toFixed(2).padStart(6)} s  ` +
          `${(bytes / seconds(what) / 1e6).toFixed(0).padStart(5)} MB/s  peak memory ${megabytes(peak)}${rate}${compared}`,
      );
    }
  }
}

/** What the cache of these frames would be in another form. */
async function describeCache(folder: string, written: StageAnswer): Promise<void> {
  const cache = await readFile(path.join(folder, 'train.npy'));
  const part = cache.subarray(0, Math.min(cache.length, 32 << 20));
  let nonzero = 0;
  for (const count of part) if (count !== 0) nonzero += 1;
  const packed = gzipSync(part, { level: 6 }).length;
  console.log(
    `\nFrame cache: written at ${(written.writtenBytes / written.seconds / 1e6).toFixed(0)} MB/s, safe on the disk; ` +
      `${((100 * nonzero) / part.length).toFixed(1)} % of the counts are not 0; gzip makes it ${(part.length / packed).toFixed(1)} times smaller`,
  );
}

function millions(events: number): string {
  return `${(events / 1e6).toFixed(1)} million`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}

function spread(values: readonly number[]): string {
  return `${Math.min(...values).toFixed(2)} to ${Math.max(...values).toFixed(2)}`;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
