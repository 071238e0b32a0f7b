import { ReproError } from '../../base/errors.ts';
import { formatCount, listSome } from '../../base/text.ts';
import type { CountType } from '../../formats/npy.ts';
import type { CachedClip, ClipIndex } from '../../results/clip-index.ts';
import { framesFrom, type SampleFacts } from '../../results/dataset-facts.ts';
import { type Clip, type Clips, type ReadClip, SPLITS, type Split } from '../contract/clips.ts';
import { type Counts, type FrameLayout, frameSize } from '../events/frames.ts';
import { type FrameSettings, layoutOf, limitPerClass } from './frame-settings.ts';

/** One clip's frames: a row of the frame cache. */
export interface FrameRow extends Omit<ReadClip, 'events'> {
  /** Events in the frames, and those left out by `splitBy: duration`. */
  readonly events: number;
  readonly laterEvents: number;
  /** [T, 2, H, W], in a type that holds them. */
  readonly counts: Counts;
  /** [T], µs; null unless wanted. */
  readonly durationsUs: readonly number[] | null;
}

const WIDTHS = [Uint8Array, Uint16Array, Uint32Array] as const;

/** Counts the events of clips in frames, in the narrowest type that has been wide enough so far. */
export class FrameRows {
  readonly #layout: FrameLayout;
  readonly #withDurations: boolean;
  readonly #length: number;
  /** Index in `WIDTHS`. Once one clip needs it, the whole cache does, so narrower ones are not tried again. */
  #width = 0;

  constructor(layout: FrameLayout, withDurations: boolean) {
    const { height, width } = frameSize(layout);
    this.#layout = layout;
    this.#withDurations = withDurations;
    this.#length = layout.steps * 2 * height * width;
  }

  make({ split, row, startUs, endUs, events }: ReadClip): FrameRow {
    const counts = this.#integrate(events);
    const inFrames = this.#layout.splitBy === 'duration' ? sum(counts) : events.count;
    return {
      split,
      row,
      startUs,
      endUs,
      events: inFrames,
      laterEvents: events.count - inFrames,
      counts,
      durationsUs: this.#withDurations ? [...events.durationsUs(this.#layout)] : null,
    };
  }

  #integrate(events: ReadClip['events']): Counts {
    for (;;) {
      const Type = WIDTHS[this.#width]!;
      const counts = new Type(this.#length);
      const largest = events.integrate(this.#layout, counts);
      if (largest < 2 ** (8 * Type.BYTES_PER_ELEMENT) || this.#width === WIDTHS.length - 1) return counts;
      this.#width += 1;
    }
  }
}

function sum(counts: Counts): number {
  let total = 0;
  for (const count of counts) total += count;
  return total;
}

/** What frames were made of. */
interface FrameOrigin {
  readonly facts: Pick<SampleFacts, 'name' | 'classes' | 'sensor'> &
    Partial<Pick<SampleFacts, 'samples' | 'framesFrom'>>;
  readonly simulated: boolean;
  readonly settings: FrameSettings;
  /** As `limitClips` leaves them. */
  readonly clips: Clips;
  readonly warn?: ((text: string) => void) | undefined;
}

/**
 * What clips.json says of frames.
 *
 * @param made in any order
 * @param dtype the smallest type that fits the counts of both splits
 * @throws {ReproError} `data-corrupt` if a clip was not read
 */
export function describeFrames(
  { facts, simulated, settings, clips, warn = () => {} }: FrameOrigin,
  made: readonly Omit<FrameRow, 'counts'>[],
  dtype: CountType,
): ClipIndex {
  const { steps, splitBy, durationUs, downsample = 1, invalidEvents = 'keep', normalization } = settings;
  const { overlaps = 'both', rowStride = 'width' } = settings;
  const rows: Record<Split, CachedClip[]> = { train: [], test: [] };
  const later: string[] = [];
  for (const { split, row, laterEvents, startUs, endUs, events, durationsUs } of made) {
    const clip = clips[split][row]!;
    rows[split][row] = { ...clip, startUs, endUs, events, ...(durationsUs === null ? {} : { durationsUs }) };
    if (laterEvents > 0) later.push(clip.recording);
  }
  checkWhole(clips, rows);
  warnOfShortClips(rows, steps, warn);
  warnOfLongClips(later.sort(), settings, warn);
  return {
    dataset: facts.name,
    simulated,
    classes: facts.classes,
    sensor: facts.sensor,
    frames: {
      steps,
      splitBy,
      ...(splitBy === 'duration' ? { durationUs: durationUs! } : {}),
      ...(framesFrom(facts) === 'file' ? { from: 'file' } : {}),
      downsample,
      ...frameSize(layoutOf(settings, facts.sensor)),
      dtype,
      normalization: normalization === undefined || normalization === 'none' ? null : normalization,
      invalidEvents,
      ...(overlaps === 'both' ? {} : { overlaps }),
      ...(rowStride === 'width' ? {} : { rowStride }),
    },
    splits: rows,
  };
}

/** The clips that a profile asks for: of each split, the first of each class, in sorted order. */
export function limitClips(
  { train, test }: Clips,
  { limit }: FrameSettings,
  leftOut: ReadonlySet<string> = new Set(),
): Clips {
  const limitSplit = (all: readonly Clip[], most: number | undefined) => {
    const clips = all.filter(({ recording }) => !leftOut.has(recording));
    const labels = clips.map((clip) => clip.class);
    return limitPerClass(labels, most).map((position) => clips[position]!);
  };
  return { train: limitSplit(train, limit?.train), test: limitSplit(test, limit?.test) };
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
