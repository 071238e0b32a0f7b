import { createHash } from 'node:crypto';
import { closeSync, openSync, readdirSync, readFileSync, readSync, statSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { isMainThread } from 'node:worker_threads';
import { type FrameSettings, writeFrames } from '../../src/data/frames/frame-writer.ts';
import { openDataset } from '../../src/data/open-dataset.ts';
import { defineThreadJob, runInThreads, type Threads } from '../../src/data/reading/threads.ts';
import { NpyCountsWriter } from '../../src/formats/npy-file.ts';
import { GESTURES } from './gestures.ts';

/** What a process of its own does once, as a stage would: threads start and code is compiled each time. */
export interface StageTask {
  readonly what: 'frames' | 'verify' | 'md5' | 'read' | 'write';
  readonly root: string;
  readonly output: string;
  readonly threads: number;
  readonly settings: FrameSettings;
}

export interface StageAnswer {
  readonly seconds: number;
  readonly peakBytes: number;
  /** Only `write`. */
  readonly writtenBytes: number;
}

/** Clips of the cache written by `write`. */
const WRITTEN_ROWS = 300;
const PIECE_BYTES = 1 << 19;

/** Reads files, and hashes them if asked: what a check of them cannot be faster than. */
const FILE_JOB = defineThreadJob<{ readonly hashes: boolean }, string, string>(
  'bench-files',
  ({ hashes }, port) => {
    const piece = new Uint8Array(PIECE_BYTES);
    return async (file) => {
      const hash = hashes ? createHash('md5') : null;
      const descriptor = openSync(file, 'r');
      for (let length = 1; length > 0; ) {
        length = readSync(descriptor, piece);
        hash?.update(piece.subarray(0, length));
      }
      closeSync(descriptor);
      await port.send(hash?.digest('hex') ?? '');
    };
  },
);

if (isMainThread) {
  const task = JSON.parse(process.argv[2] ?? '') as StageTask;
  const started = performance.now();
  const writtenBytes = await run(task);
  const seconds = (performance.now() - started) / 1000;
  const peakBytes = measurePeak();
  console.log(JSON.stringify({ seconds, peakBytes, writtenBytes } satisfies StageAnswer));
}

/** `maxRSS` also counts what the parent process had before this one's program was loaded into it; Linux knows better. */
function measurePeak(): number {
  try {
    const found = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'));
    if (found !== null) return Number(found[1]) * 1024;
  } catch {
    // Not Linux.
  }
  return process.resourceUsage().maxRSS * 1024;
}

async function run({ what, root, output, threads: count, settings }: StageTask): Promise<number> {
  const threads: Threads = { count, module: fileURLToPath(import.meta.url) };
  switch (what) {
    case 'frames':
      await writeFrames({ dataset: openDataset(GESTURES), root, output, simulated: true, settings, threads });
      return 0;
    case 'verify':
      await openDataset(GESTURES).verify(root, { simulated: true, threads });
      return 0;
    case 'md5':
    case 'read': {
      const files = readdirSync(root).map((name) => path.join(root, name));
      const tasks = files.sort((a, b) => statSync(b).size - statSync(a).size);
      const setup = { hashes: what === 'md5' };
      await runInThreads(FILE_JOB, { threads, setup, tasks, receive: () => undefined });
      return 0;
    }
    case 'write':
      return writeCache(output, settings.steps);
  }
}

/** Rows of a frame cache in any order, up to the file being safe on the disk. */
async function writeCache(output: string, steps: number): Promise<number> {
  const shape = [steps, 2, GESTURES.sensor.height, GESTURES.sensor.width];
  const row = new Uint8Array(shape.reduce((a, b) => a * b)).fill(3);
  const writer = await NpyCountsWriter.create(path.join(output, 'written.npy'), shape);
  for (let i = 0; i < WRITTEN_ROWS; i++) await writer.write((i * 7) % WRITTEN_ROWS, row);
  await writer.finish();
  return WRITTEN_ROWS * row.length;
}
