import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { NpyCountsWriter } from '../../formats/npy-file.ts';
import { type ClipIndex, FRAME_CACHE_FILES, formatClipIndex } from '../../results/clip-index.ts';
import { framesFrom } from '../../results/dataset-facts.ts';
import { type Clips, SPLITS, type Split } from '../contract/clips.ts';
import type { EventDataset } from '../contract/dataset.ts';
import { type Counts, frameSize } from '../events/frames.ts';
import { runInThreads, type Threads } from '../reading/threads.ts';
import { describeFrames, type FrameRow, FrameRows, limitClips } from './frame-rows.ts';
import { type FrameSettings, layoutOf } from './frame-settings.ts';
import { divideClips, FRAME_JOB, type FrameSetup } from './frame-thread.ts';

export type { FrameSettings } from './frame-settings.ts';

interface WriteFramesOptions {
  readonly dataset: EventDataset;
  readonly root: string;
  /** The folder to create, with the files in `FRAME_CACHE_FILES`. */
  readonly output: string;
  readonly simulated: boolean;
  readonly settings: FrameSettings;
  /** Recordings whose clips are not used. */
  readonly leftOut?: ReadonlySet<string> | undefined;
  /** Threads to read recordings in; default: the calling thread. The frames do not depend on it. */
  readonly threads?: Threads | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly progress?: ((done: number, total: number) => void) | undefined;
  readonly warn?: ((text: string) => void) | undefined;
  /** Called with the counts of each clip, [T, 2, H, W], in no particular order. */
  readonly onClip?: ((split: Split, counts: Counts) => void) | undefined;
}

/**
 * Turns a data set's events into the frame cache: one `.npy` per split, [clips, T, 2, H, W] in the smallest type that
 * fits the counts of both, and `clips.json`. Each thread has one recording and the frames of a few clips in memory.
 *
 * @throws {ReproError} `frames` for invalid settings, `data-missing` or `data-corrupt` from the data set
 */
export async function writeFrames(options: WriteFramesOptions): Promise<ClipIndex> {
  const { dataset, root, output, settings, simulated, signal } = options;
  const { facts } = dataset;
  const { height, width } = frameSize(layoutOf(settings, facts.sensor));
  const all = await dataset.listClips(root, { simulated, signal, overlaps: settings.overlaps });
  const clips = limitClips(all, settings, options.leftOut);
  await mkdir(output, { recursive: true });
  const rowShape = [settings.steps, 2, height, width];
  const writers = {
    train: await NpyCountsWriter.create(path.join(output, FRAME_CACHE_FILES.train), rowShape),
    test: await NpyCountsWriter.create(path.join(output, FRAME_CACHE_FILES.test), rowShape),
  };
  const made: Omit<FrameRow, 'counts'>[] = [];
  const write = async ({ counts, ...row }: FrameRow) => {
    await writers[row.split].write(row.row, counts);
    options.onClip?.(row.split, counts);
    made.push(row);
  };
  const finish = async (): Promise<ClipIndex> => {
    await readRows(clips, options, write);
    await writers.train.widen(writers.test.dtype);
    await writers.test.widen(writers.train.dtype);
    const index = describeFrames({ ...options, facts, clips }, made, writers.train.dtype);
    for (const split of SPLITS) await writers[split].finish(clips[split].length);
    return index;
  };
  const index = await finish().catch(async (error: unknown) => {
    for (const split of SPLITS) await writers[split].abandon();
    throw error;
  });
  await writeFile(path.join(output, FRAME_CACHE_FILES.index), formatClipIndex(index));
  return index;
}

/** Reads the clips and gives their frames to `write`, one after the other, in the order in which they are ready. */
async function readRows(
  clips: Clips,
  { dataset, root, settings, simulated, threads, signal, progress }: WriteFramesOptions,
  write: (row: FrameRow) => Promise<void>,
): Promise<void> {
  const { invalidEvents = 'keep', rowStride } = settings;
  const layout = { ...layoutOf(settings, dataset.facts.sensor), from: framesFrom(dataset.facts) };
  const withDurations = settings.normalization === 'frequency';
  if (threads === undefined || (await dataset.readsWhole?.(root)) === true) {
    const frames = new FrameRows(layout, withDurations);
    await dataset.readClips(
      root,
      clips,
      { simulated, signal, progress, invalidEvents, rowStride },
      async (clip) => {
        await write(frames.make(clip));
      },
    );
    return;
  }
  const setup: FrameSetup = {
    ...{ facts: dataset.facts, root, simulated, invalidEvents, rowStride, layout, withDurations },
  };
  const total = new Set(SPLITS.flatMap((split) => clips[split].map(({ recording }) => recording))).size;
  let done = 0;
  await runInThreads(FRAME_JOB, {
    threads,
    setup,
    tasks: divideClips(clips, threads.count),
    signal,
    receive: async (reply) => {
      if (reply.kind === 'row') await write(reply.row);
      done += reply.recordings;
      if (reply.recordings > 0) progress?.(done, total);
    },
  });
}
