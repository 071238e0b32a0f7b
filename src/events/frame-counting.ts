import { type EventAddon, findEventAddon } from '../addon/event-addon.ts';
import type { EventBlock } from './event-block.ts';
import { findTime, timeAt } from './event-block.ts';
import { FEW_WORDS } from './event-check.ts';
import { ADDER } from './frame-adder.ts';
import {
  type Counts,
  checkCounts,
  type FrameLayout,
  FrameSplit,
  frameSize,
  type SplitClip,
} from './frames.ts';

/**
 * Counts blocks of events in the T frames of one clip (one clip at a time), straight from the words of the file: a run of events in the same
 * frame at a time, so that the inner loop has nothing to decide.
 */
export class FrameCounting {
  readonly #addon: EventAddon | null;
  readonly #split: FrameSplit;
  /** Each [2, H, W]. */
  readonly #frames: readonly Counts[];
  /** Frames that no event has been added to, with whatever was in the memory before. */
  readonly #untouched: Set<Counts>;
  /** The frame that the adder has at the moment. */
  #open: Counts | null = null;
  /** Events so far. */
  #index = 0;
  #bits = 0;

  /** @param counts [T, 2, H, W], C order; overwritten */
  constructor(layout: FrameLayout, clip: SplitClip, counts: Counts, addon = findEventAddon()) {
    this.#addon = addon;
    checkCounts(layout, counts);
    const { height, width } = frameSize(layout);
    const length = 2 * height * width;
    this.#split = new FrameSplit(layout, clip);
    this.#frames = Array.from({ length: layout.steps }, (_, i) =>
      counts.subarray(i * length, (i + 1) * length),
    );
    this.#untouched = new Set(this.#frames);
    ADDER.prepare(layout, this);
  }

  /** @returns all counts OR-ed: at least the largest, and below a power of two if that is */
  finish(): number {
    ADDER.requireUser(this);
    this.#openFrame(null);
    for (const counts of this.#untouched) counts.fill(0);
    return this.#bits;
  }

  /** Adds the events in `words[from]` to `words[to - 1]` of a block. */
  add(block: EventBlock, from: number, to: number): void {
    ADDER.requireUser(this);
    const split = this.#split;
    for (let at = from; at < to; ) {
      const frame = split.frameOf(this.#index, split.byTime ? timeAt(block, at) : 0);
      const end = split.byTime ? this.#endByTime(block, at, to, frame) : this.#endByNumber(at, to, frame);
      const counts = this.#frames[frame];
      if (counts !== undefined) this.#bits |= this.#add(counts, block, at, end);
      this.#index += (end - at) / 2;
      at = end;
    }
  }

  #add(counts: Counts, { words, sorted }: EventBlock, from: number, to: number): number {
    if (this.#addon !== null && counts instanceof Uint8Array) {
      if (this.#untouched.delete(counts)) counts.fill(0);
      if (to - from < FEW_WORDS) return ADDER.addTo(counts, words, from, to);
      return ADDER.addBy(this.#addon, counts, words, from, to);
    }
    // Unsorted events may belong to another frame each: then exchanging frames would take longer than adding.
    if (!ADDER.fits(counts) || (this.#split.byTime && !sorted)) {
      this.#openFrame(null);
      if (this.#untouched.delete(counts)) counts.fill(0);
      return ADDER.addTo(counts, words, from, to);
    }
    this.#openFrame(counts);
    return ADDER.add(words, from, to);
  }

  #openFrame(counts: Counts | null): void {
    if (this.#open === counts) return;
    if (this.#open !== null) ADDER.store(this.#open);
    if (counts !== null) {
      if (this.#untouched.delete(counts)) ADDER.clear(counts.length);
      else ADDER.load(counts);
    }
    this.#open = counts;
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
