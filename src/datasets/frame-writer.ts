import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ReproError } from '../errors.ts';
import { type FrameLayout, frameSize, type SplitBy } from '../events/frames.ts';
import {
  type CachedClip,
  type ClipIndex,
  FRAME_CACHE_FILES,
  formatClipIndex,
  NORMALIZATIONS,
  type Normalization,
} from '../formats/frame-cache.ts';
import { NpyCountsWriter } from '../formats/npy-file.ts';
import { type Clip, type Clips, type EventDataset, type ReadClip, SPLITS, type Split } from './dataset.ts';
import { foldNames, formatCount } from './problems.ts';

/** A profile's `frames:`. */
export interface FrameSettings {
  /** T: frames per clip. */
  readonly steps: number;
  readonly splitBy: SplitBy;
  /** Pixels binned in each direction; default 1. */
  readonly downsample?: number;
  /** Default `keep`. */
  readonly invalidEvents?: 'keep' | 'drop';
  /** What readers of the frames divide the counts by; default `none`. */
  readonly normalization?: Normalization | 'none';
  /** Clips per class, the first in sorted order; default all. */
  readonly limit?: { readonly train?: number; readonly test?: number };
}

export interface WriteFramesOptions {
  readonly dataset: EventDataset;
  readonly root: string;
  /** The folder to create, with the files in `FRAME_CACHE_FILES`. */
  readonly output: string;
  readonly simulated: boolean;
  readonly settings: FrameSettings;
  readonly signal?: AbortSignal | undefined;
  readonly progress?: ((done: number, total: number) => void) | undefined;
  readonly warn?: ((text: string) => void) | undefined;
}

/**
 * Turns a data set's events into the frame cache: one `.npy` per split, [clips, T, 2, H, W] in the smallest type that
 * fits the counts of both, and `clips.json`. Keeps one recording's events and one clip's frames in memory at a time.
 *
 * @throws {ReproError} `frames` for invalid settings, `data-missing` or `data-corrupt` from the data set
 */
export async function writeFrames(options: WriteFramesOptions): Promise<ClipIndex> {
  const { dataset, root, output, settings, simulated, signal, progress } = options;
  const { steps, splitBy, downsample = 1, invalidEvents = 'keep' } = settings;
  const normalization = settings.normalization ?? 'none';
  checkSettings({ ...settings, invalidEvents, normalization });
  const layout: FrameLayout = { steps, splitBy, downsample, sensor: dataset.sensor };
  const size = frameSize(layout);
  const readOptions = { simulated, signal, progress };
  const all = await dataset.listClips(root, { simulated, signal });
  const clips: Clips = {
    train: limitClips(all.train, settings.limit?.train),
    test: limitClips(all.test, settings.limit?.test),
  };
  await mkdir(output, { recursive: true });
  const rowShape = [steps, 2, size.height, size.width];
  const counts = new Uint32Array(steps * 2 * size.height * size.width);
  const writers = {
    train: await NpyCountsWriter.create(path.join(output, FRAME_CACHE_FILES.train), rowShape),
    test: await NpyCountsWriter.create(path.join(output, FRAME_CACHE_FILES.test), rowShape),
  };
  const rows: Record<Split, CachedClip[]> = { train: [], test: [] };
  const visit = async ({ split, row, startUs, endUs, events }: ReadClip) => {
    const largest = events.integrate(layout, counts);
    await writers[split].write(row, counts, largest);
    rows[split][row] = {
      ...clips[split][row]!,
      startUs,
      endUs,
      events: events.count,
      ...(normalization === 'frequency' ? { durationsUs: [...events.durationsUs(layout)] } : {}),
    };
  };
  try {
    await dataset.readClips(root, clips, { ...readOptions, invalidEvents }, visit);
    checkWhole(clips, rows);
    await writers.train.widen(writers.test.dtype);
    await writers.test.widen(writers.train.dtype);
    for (const split of SPLITS) await writers[split].finish(clips[split].length);
  } catch (error) {
    for (const split of SPLITS) await writers[split].abandon();
    throw error;
  }
  warnOfShortClips(rows, steps, options.warn);
  const index: ClipIndex = {
    dataset: dataset.name,
    simulated,
    classes: dataset.classes,
    sensor: dataset.sensor,
    frames: {
      steps,
      splitBy,
      downsample,
      ...size,
      dtype: writers.train.dtype,
      normalization: normalization === 'none' ? null : normalization,
      invalidEvents,
    },
    splits: rows,
  };
  await writeFile(path.join(output, FRAME_CACHE_FILES.index), formatClipIndex(index));
  return index;
}

function checkSettings({ splitBy, invalidEvents, normalization, limit }: FrameSettings): void {
  const fail = (key: string, wanted: string, found: unknown): never => {
    throw new ReproError('frames', `${key} must be ${wanted}, not ${JSON.stringify(found)}.`, {
      where: 'profile',
    });
  };
  if (splitBy !== 'number' && splitBy !== 'time') fail('frames.splitBy', '"number" or "time"', splitBy);
  if (invalidEvents !== 'keep' && invalidEvents !== 'drop') {
    fail('frames.invalidEvents', '"keep" or "drop"', invalidEvents);
  }
  const normalizations = ['none', ...NORMALIZATIONS];
  if (!normalizations.some((kind) => kind === normalization)) {
    fail('frames.normalization', `one of ${normalizations.join(', ')}`, normalization);
  }
  for (const split of SPLITS) {
    const most = limit?.[split];
    if (most !== undefined && !(Number.isInteger(most) && most >= 1)) {
      fail(`frames.limit.${split}`, 'a whole number >= 1', most);
    }
  }
}

/** A clip that was listed but never read would be a row of zeros with a label. */
function checkWhole(clips: Clips, rows: Readonly<Record<Split, readonly CachedClip[]>>): void {
  for (const split of SPLITS) {
    const missing = clips[split].filter((_, row) => rows[split][row] === undefined);
    if (missing.length === 0) continue;
    const names = missing.map(({ recording }) => recording);
    throw new ReproError('data-corrupt', `${foldNames(names)}: listed but not read.`, {
      where: 'dataset.root',
      fix: 'The data changed while being read, or contain a name twice: run `repro run verify --force`.',
    });
  }
}

/** The first `most` clips of each class, in sorted order. */
function limitClips(clips: readonly Clip[], most: number | undefined): readonly Clip[] {
  if (most === undefined) return clips;
  const taken = new Map<number, number>();
  return clips.filter((clip) => {
    const count = taken.get(clip.class) ?? 0;
    taken.set(clip.class, count + 1);
    return count < most;
  });
}

function warnOfShortClips(
  rows: Readonly<Record<Split, readonly CachedClip[]>>,
  steps: number,
  warn: ((text: string) => void) | undefined,
): void {
  const short = SPLITS.flatMap((split) => rows[split]).filter((clip) => clip.events < steps);
  if (short.length === 0) return;
  const names = short.map((clip) => `${clip.recording} (${clip.events})`);
  warn?.(
    `${formatCount(short.length, 'clip')} with fewer events than the ${steps} frames, which are mostly empty: ${foldNames(names)}.`,
  );
}
