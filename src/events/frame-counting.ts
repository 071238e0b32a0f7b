import type { EventBlock } from './event-block.ts';
import { findTime, timeAt } from './event-block.ts';
import {
  type Counts,
  checkCounts,
  type FrameLayout,
  FrameSplit,
  frameSize,
  type SplitClip,
} from './frames.ts';

/**
 * Counts blocks of events in the T frames of one clip, straight from the words of the file: a run of events in the same
 * frame at a time, so that the inner loop has nothing to decide.
 */
export class FrameCounting {
  readonly #split: FrameSplit;
  /** Each [2, H, W]. */
  readonly #frames: readonly Counts[];
  readonly #places: Places;
  /** Events so far. */
  #index = 0;
  #bits = 0;

  /** @param counts [T, 2, H, W], C order; overwritten */
  constructor(layout: FrameLayout, clip: SplitClip, counts: Counts) {
    checkCounts(layout, counts);
    counts.fill(0);
    const { height, width } = frameSize(layout);
    const length = 2 * height * width;
    this.#split = new FrameSplit(layout, clip);
    this.#frames = Array.from({ length: layout.steps }, (_, i) =>
      counts.subarray(i * length, (i + 1) * length),
    );
    this.#places = listPlaces(layout);
  }

  /** All counts so far OR-ed: at least the largest, and below a power of two if that is. */
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
      if (counts !== undefined) this.#bits |= addEvents(counts, this.#places, block.words, at, end);
      this.#index += (end - at) / 2;
      at = end;
    }
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

/**
 * Adds the events of `words[from]` to `words[to - 1]` to one frame. Both tables together give an event's place in it: tables are
 * as fast as shifts by amounts that are not constants, and know any sensor. Four events at a time are faster by a third.
 *
 * @param frame [2, H, W]
 * @returns the OR of the counts that it wrote, before they were cut off to the array's type
 */
function addEvents(
  frame: Counts,
  { rows, columns }: Places,
  words: Int32Array,
  from: number,
  to: number,
): number {
  let bits = 0;
  let i = from;
  for (; i < to - 6; i += 8) {
    const a = words[i]!;
    const b = words[i + 2]!;
    const c = words[i + 4]!;
    const d = words[i + 6]!;
    const atA = rows[(a >>> 1) & 0xffff]! + columns[a >>> 17]!;
    const atB = rows[(b >>> 1) & 0xffff]! + columns[b >>> 17]!;
    const atC = rows[(c >>> 1) & 0xffff]! + columns[c >>> 17]!;
    const atD = rows[(d >>> 1) & 0xffff]! + columns[d >>> 17]!;
    // One after the other: they may be the same.
    const countA = (frame[atA]! + 1) | 0;
    frame[atA] = countA;
    const countB = (frame[atB]! + 1) | 0;
    frame[atB] = countB;
    const countC = (frame[atC]! + 1) | 0;
    frame[atC] = countC;
    const countD = (frame[atD]! + 1) | 0;
    frame[atD] = countD;
    bits |= countA | countB | countC | countD;
  }
  for (; i < to; i += 2) {
    const data = words[i]!;
    const at = rows[(data >>> 1) & 0xffff]! + columns[data >>> 17]!;
    const count = (frame[at]! + 1) | 0;
    frame[at] = count;
    bits |= count;
  }
  return bits;
}

/** Where an event's pixel and polarity are in a frame [2, H, W]. */
interface Places {
  /** Index of the first column, by `y << 1 | polarity`. */
  readonly rows: Int32Array;
  /** Column, by x. */
  readonly columns: Int32Array;
}

function listPlaces(layout: FrameLayout): Places {
  const { sensor, downsample } = layout;
  const { height, width } = frameSize(layout);
  return {
    rows: Int32Array.from(
      { length: 2 * sensor.height },
      (_, i) => ((i & 1) * height + Math.floor((i >> 1) / downsample)) * width,
    ),
    columns: Int32Array.from({ length: sensor.width }, (_, x) => Math.floor(x / downsample)),
  };
}
