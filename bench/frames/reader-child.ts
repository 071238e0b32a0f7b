import { writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { cutAedat3 } from '../../src/data/events/aedat3-clips.ts';
import { FrameRows } from '../../src/data/frames/frame-rows.ts';
import { findEventAddon } from '../../src/network/addon/event-addon.ts';
import type { SplitBy } from '../../src/results/thesis/compat.ts';

/** One recording to turn into frames; the same line is given to numpy_peer.py. */
export interface ReaderTask {
  readonly file: string;
  readonly height: number;
  readonly width: number;
  readonly steps: number;
  readonly splitBy: SplitBy;
  readonly spans: readonly (readonly [startUs: number, endUs: number])[];
  /** Where to write the frames, as uint32; not timed. */
  readonly save?: string;
}

export interface ReaderAnswer {
  readonly seconds: number;
  /** Of all threads, those of the compiler and the garbage collector among them. */
  readonly processorSeconds: number;
  readonly events: number;
}

/** Tasks on stdin, one a line; answers on stdout. */
for await (const line of createInterface({ input: process.stdin })) {
  const task = JSON.parse(line) as ReaderTask;
  console.log(JSON.stringify(await convert(task)));
}

async function convert(task: ReaderTask): Promise<ReaderAnswer> {
  const { file, height, width, steps, splitBy, save } = task;
  const sensor = { height, width };
  const frames = new FrameRows({ steps, splitBy, downsample: 1, sensor }, false);
  const kept: Uint32Array[] = [];
  const started = performance.now();
  const usage = process.cpuUsage();
  const spans = task.spans.map(([startUs, endUs]) => ({ startUs, endUs }));
  const options = { file, sensor, addon: findEventAddon() };
  const { summary, clips } = cutAedat3(await readFile(file), spans, options);
  for (const [row, events] of clips.entries()) {
    const made = frames.make({ split: 'train', row, ...spans[row]!, events });
    if (save !== undefined) kept.push(Uint32Array.from(made.counts));
  }
  const seconds = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(usage);
  if (save !== undefined) writeFileSync(save, Buffer.concat(kept.map((one) => new Uint8Array(one.buffer))));
  return { seconds, processorSeconds: (user + system) / 1e6, events: summary.events };
}
