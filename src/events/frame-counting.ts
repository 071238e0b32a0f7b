import type { EventAddon } from '../addon/event-functions.ts';
import { type EventBlock, FEW_WORDS, findTime, timeAt } from './event-block.ts';
import { type Counts, type FrameLayout, FrameSplit, frameSize, type SplitClip } from './frames.ts';

/**
 * Counts blocks of events in the T frames of one clip (one clip at a time), straight from the words of the file: a run of events in the same
 * frame at a time, so that the inner loop has nothing to decide.
 */
export class FrameCounting {
  readonly #addon: EventAddon | null;
  readonly #split: FrameSplit;
  /** Each [2, H, W]. */
  readonly #frames: readonly Counts[];
  /** Frames that no event has been added to, which still have old values. */
  readonly #untouched: Set<Counts>;
  /** The frame that the adder has at the moment. */
  #open: Counts | null = null;
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

/** All that a table can be asked: y and polarity in 16 bits, x in 15. */
const ROWS = 1 << 16;
const COLUMNS = 1 << 15;
/** Counts of one frame: up to 256 x 256 pixels. */
const FRAME = 1 << 17;

/**
 * Adds events to frames, one frame at a time.
 *
 * The tables and the working frame are constants of one function, not properties of an object: the compiler then knows their addresses
 * and lengths, and the inner loop has no checks and no loads but those of its data. That makes it half as fast again; four events at a time
 * make another third. It is also why there is only one adder, to be used by one clip at a time.
 */
function makeAdder() {
  /** Index of an event's row in a frame [2, H, W], by `y << 1 | polarity`. */
  const rows = new Int32Array(ROWS);
  /** Column, by x. */
  const columns = new Int32Array(COLUMNS);
  const frame = new Uint8Array(FRAME);
  let prepared: FrameLayout | null = null;
  let current: object | null = null;

  /** Makes the tables that give an event's place in a frame, for one user from now on. */
  const prepare = (layout: FrameLayout, user: object): void => {
    current = user;
    if (prepared === layout) return;
    prepared = layout;
    const { sensor, downsample } = layout;
    const { height, width } = frameSize(layout);
    for (let i = 0; i < 2 * sensor.height; i++) {
      rows[i] = ((i & 1) * height + Math.floor((i >> 1) / downsample)) * width;
    }
    for (let x = 0; x < sensor.width; x++) columns[x] = Math.floor(x / downsample);
  };

  /** To the working frame. @returns the OR of the counts it wrote, before they were cut to 8 bits */
  const add = (words: Int32Array, from: number, to: number): number => {
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
    return bits | addTo(frame, words, i, to);
  };

  /** The same directly to any frame, which is slower. */
  const addTo = (target: Counts, words: Int32Array, from: number, to: number): number => {
    let bits = 0;
    for (let i = from; i < to; i += 2) {
      const data = words[i]!;
      const at = rows[(data >>> 1) & 0xffff]! + columns[data >>> 17]!;
      const count = (target[at]! + 1) | 0;
      target[at] = count;
      bits |= count;
    }
    return bits;
  };

  return {
    prepare,
    /** @throws {RangeError} if it was prepared for another user meanwhile: their counts would be mixed */
    requireUser: (user: object): void => {
      if (current !== user) throw new RangeError('events of two clips are counted at the same time');
    },
    /** Whether the working frame is large enough for frames of this length. */
    fits: (target: Counts): boolean => target instanceof Uint8Array && target.length <= FRAME,
    clear: (length: number): void => void frame.fill(0, 0, length),
    /** Takes over a frame's counts, so that `add` adds to them. */
    load: (target: Counts): void => frame.set(target),
    store: (target: Counts): void => target.set(frame.subarray(0, target.length)),
    add,
    addTo,
    /** By the addon, which is fastest, but takes about a hundred nanoseconds to call. */
    addBy: (addon: EventAddon, target: Uint8Array, words: Int32Array, from: number, to: number): number =>
      addon.countEvents(target, rows, columns, words, from, to),
  };
}

const ADDER = makeAdder();
