import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ReproError } from '../../base/errors.ts';
import { formatCount, listSome } from '../../base/text.ts';
import { NpyCountsWriter } from '../../formats/npy-file.ts';
import {
  type CachedClip,
  type ClipIndex,
  FRAME_CACHE_FILES,
  formatClipIndex,
} from '../../results/clip-index.ts';
import { type Clip, type Clips, type EventDataset, SPLITS, type Split } from '../contract/dataset.ts';
import { type Counts, frameSize } from '../events/frames.ts';
import { runInThreads, type Threads } from '../reading/threads.ts';
import { type FrameSettings, layoutOf, limitPerClass } from './frame-settings.ts';
import { divideClips, FRAME_JOB, type FrameRow, FrameRows, type FrameSetup } from './frame-thread.ts';

export type { FrameSettings } from './frame-settings.ts';

interface WriteFramesOptions {
  readonly dataset: EventDataset;
  readonly root: string;
  /** The folder to create, with the files in `FRAME_CACHE_FILES`. */
  readonly output: string;
  readonly simulated: boolean;
  readonly settings: FrameSettings;
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
  const { steps, splitBy, durationUs, downsample = 1, invalidEvents = 'keep', normalization } = settings;
  const { overlaps = 'both', rowStride = 'width' } = settings;
  const size = frameSize(layoutOf(settings, dataset.facts.sensor));
  const all = await dataset.listClips(root, { simulated, signal, overlaps });
  const clips: Clips = {
    train: limitClips(all.train, settings.limit?.train),
    test: limitClips(all.test, settings.limit?.test),
  };
  await mkdir(output, { recursive: true });
  const rowShape = [steps, 2, size.height, size.width];
  const writers = {
    train: await NpyCountsWriter.create(path.join(output, FRAME_CACHE_FILES.train), rowShape),
    test: await NpyCountsWriter.create(path.join(output, FRAME_CACHE_FILES.test), rowShape),
  };
  const rows: Record<Split, CachedClip[]> = { train: [], test: [] };
  const later: string[] = [];
  const write = async ({ split, row, counts, laterEvents, ...made }: FrameRow) => {
    await writers[split].write(row, counts);
    options.onClip?.(split, counts);
    const { startUs, endUs, events, durationsUs } = made;
    const clip = clips[split][row]!;
    rows[split][row] = { ...clip, startUs, endUs, events, ...(durationsUs === null ? {} : { durationsUs }) };
    if (laterEvents > 0) later.push(clip.recording);
  };
  try {
    await readRows(clips, options, write);
    checkWhole(clips, rows);
    await writers.train.widen(writers.test.dtype);
    await writers.test.widen(writers.train.dtype);
    for (const split of SPLITS) await writers[split].finish(clips[split].length);
  } catch (error) {
    for (const split of SPLITS) await writers[split].abandon();
    throw error;
  }
  const { warn = () => {} } = options;
  warnOfShortClips(rows, steps, warn);
  warnOfLongClips(later.sort(), settings, warn);
  const index: ClipIndex = {
    dataset: dataset.facts.name,
    simulated,
    classes: dataset.facts.classes,
    sensor: dataset.facts.sensor,
    frames: {
      steps,
      splitBy,
      ...(splitBy === 'duration' ? { durationUs: durationUs! } : {}),
      downsample,
      ...size,
      dtype: writers.train.dtype,
      normalization: normalization === undefined || normalization === 'none' ? null : normalization,
      invalidEvents,
      ...(overlaps === 'both' ? {} : { overlaps }),
      ...(rowStride === 'width' ? {} : { rowStride }),
    },
    splits: rows,
  };
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
  const layout = layoutOf(settings, dataset.facts.sensor);
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

/** A clip that was listed but never read would be a row of zeros with a label. */
function checkWhole(clips: Clips, rows: Readonly<Record<Split, readonly CachedClip[]>>): void {
  for (const split of SPLITS) {
    const missing = clips[split].filter((_, row) => rows[split][row] === undefined);
    if (missing.length === 0) continue;
    const names = missing.map(({ recording }) => recording);
    throw new ReproError('data-corrupt', `${listSome(names)}: listed but not read.`, {
      where: 'dataset.root',
      fix: 'The data changed while being read, or contain a name twice: run `./repro run verify --force`.',
    });
  }
}

/** The first `most` clips of each class, in sorted order. */
function limitClips(clips: readonly Clip[], most: number | undefined): readonly Clip[] {
  const labels = clips.map((clip) => clip.class);
  return limitPerClass(labels, most).map((position) => clips[position]!);
}

function warnOfShortClips(
  rows: Readonly<Record<Split, readonly CachedClip[]>>,
  steps: number,
  warn: (text: string) => void,
): void {
  const short = SPLITS.flatMap((split) => rows[split]).filter((clip) => (clip.events ?? 0) < steps);
  if (short.length === 0) return;
  const names = listSome(short.map((clip) => `${clip.recording} (${clip.events})`));
  const clips = formatCount(short.length, 'clip');
  warn(`${clips} with fewer events than frames (${steps}), most of which are empty: ${names}.`);
}

/** @param recordings of clips with events after the last frame, sorted */
function warnOfLongClips(
  recordings: readonly string[],
  { steps, durationUs = 0 }: FrameSettings,
  warn: (text: string) => void,
): void {
  if (recordings.length === 0) return;
  const names = listSome([...new Set(recordings)]);
  const clips = formatCount(recordings.length, 'clip');
  warn(`${clips} longer than ${steps} frames of ${durationUs} µs; later events are left out: ${names}.`);
}

/** Adds up the events in the frames of each split by polarity: a figure that shows at once if the two were ever swapped. */
export class PolarityTally {
  /** Events that made a pixel darker (channel 0) and brighter (channel 1). */
  readonly #counts = { train: { off: 0, on: 0 }, test: { off: 0, on: 0 } };

  /** @param counts of one clip, [T, 2, H, W] */
  add(split: Split, counts: Counts, steps: number): void {
    const pixels = counts.length / steps / 2;
    let [off, on] = [0, 0];
    for (let start = 0; start < counts.length; start += 2 * pixels) {
      for (let i = start; i < start + pixels; i++) off += counts[i]!;
      for (let i = start + pixels; i < start + 2 * pixels; i++) on += counts[i]!;
    }
    this.#counts[split].off += off;
    this.#counts[split].on += on;
  }

  /** As metrics of a stage: `events.off.train`, `events.on.train`, … */
  metrics(): Record<string, number> {
    return Object.fromEntries(
      SPLITS.flatMap((split) =>
        (['off', 'on'] as const).map((polarity) => [
          `events.${polarity}.${split}`,
          this.#counts[split][polarity],
        ]),
      ),
    );
  }
}
