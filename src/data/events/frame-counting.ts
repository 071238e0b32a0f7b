import type { EventAddon } from '../../network/addon/event-functions.ts';
import { type EventBlock, FEW_WORDS, findTime, timeAt } from './event-block.ts';
import { type Counts, type FrameLayout, FrameSplit, frameSize, type SplitClip } from './frames.ts';

/**
 * Counts blocks of events in the T frames of one clip, straight from the words of the file: a run of events in the same frame at a time, so
 * that the inner loop has nothing to decide.
 */
export class FrameCounting {
  readonly #addon: EventAddon | null;
  readonly #split: FrameSplit;
  /** Each [2, H, W]. */
  readonly #frames: readonly Counts[];
  readonly #places: Places;
  /** Events so far. */
  #index = 0;
  #bits = 0;

  /** @param counts [T, 2, H, W], C order; overwritten */
  constructor(layout: FrameLayout, clip: SplitClip, counts: Counts, addon: EventAddon | null = null) {
    this.#addon = addon;
    const { height, width } = frameSize(layout);
    const length = 2 * height * width;
    this.#split = new FrameSplit(layout, clip);
    this.#frames = Array.from({ length: layout.steps }, (_, i) =>
      counts.subarray(i * length, (i + 1) * length),
    );
    this.#places = placesOf(layout);
    counts.fill(0);
  }

  /** All counts OR-ed: at least the largest, and below a power of two if that is. */
  get bits(): number {
    return this.#bits;
  }

  /** Adds the events in `words[from]` to `words[to - 1]` of a block. */
  add(block: EventBlock, from: number, to: number): void {
    const split = this.#split;
    for (let at = from; at < to; ) {
      const frame = split.frameOf(this.#index, split.byTime ? timeAt(block, at) : 0);
      const end = split.byTime ? this.#endByTime(block, at, to, frame) : this.#endByNumber(at, to, frame);
      const counts = this.#frames[frame];
      if (counts !== undefined) this.#bits |= this.#add(counts, block.words, at, end);
      this.#index += (end - at) / 2;
      at = end;
    }
  }

  #add(counts: Counts, words: Int32Array, from: number, to: number): number {
    const { rows, columns } = this.#places;
    if (this.#addon !== null && counts instanceof Uint8Array && to - from >= FEW_WORDS) {
      return this.#addon.countEvents(counts, rows, columns, words, from, to);
    }
    let bits = 0;
    for (let i = from; i < to; i += 2) {
      const data = words[i]!;
      const at = rows[(data >>> 1) & 0xffff]! + columns[data >>> 17]!;
      const count = (counts[at]! + 1) | 0;
      counts[at] = count;
      bits |= count;
    }
    return bits;
  }

  /** The first word after the run of events that are in the same frame as the one at `at`. */
  #endByTime(block: EventBlock, at: number, to: number, frame: number): number {
    if (!block.sorted) return at + 2;
    const endUs = this.#split.endUs(frame);
    return endUs === Number.POSITIVE_INFINITY ? to : findTime(block, at, to, endUs);
  }

  #endByNumber(at: number, to: number, frame: number): number {
    return Math.min(to, at + 2 * (this.#split.endIndex(frame) - this.#index));
  }
}

/** An event's place in a frame [2, H, W] is the sum of two numbers. */
interface Places {
  readonly layout: FrameLayout;
  /** By `y << 1 | polarity`, 16 bits. */
  readonly rows: Int32Array;
  /** By x, 15 bits. */
  readonly columns: Int32Array;
}

/** Of the last layout: nearly all clips have the same. */
let last: Places | undefined;

function placesOf(layout: FrameLayout): Places {
  if (last?.layout === layout) return last;
  const { sensor, downsample } = layout;
  const { height, width } = frameSize(layout);
  const rows = new Int32Array(1 << 16);
  const columns = new Int32Array(1 << 15);
  for (let i = 0; i < 2 * sensor.height; i++) {
    rows[i] = ((i & 1) * height + Math.floor((i >> 1) / downsample)) * width;
  }
  for (let x = 0; x < sensor.width; x++) columns[x] = Math.floor(x / downsample);
  last = { layout, rows, columns };
  return last;
}
