import type { EventAddon } from '../addon/event-addon.ts';
import type { Counts, FrameLayout } from './frames.ts';
import { frameSize } from './frames.ts';

/** Adds events to frames, one frame at a time. */
interface FrameAdder {
  /** Makes the tables that give an event's place in a frame, for one user from now on. */
  prepare(layout: FrameLayout, user: object): void;
  /** @throws {RangeError} if it was prepared for another user meanwhile: their counts would be mixed */
  requireUser(user: object): void;
  /** Whether the working frame is large enough for frames of this length. */
  fits(frame: Counts): boolean;
  /** Empties this much of the working frame. */
  clear(length: number): void;
  /** Takes over a frame's counts, so that `add` adds to them. */
  load(frame: Counts): void;
  /** Gives the counts back. */
  store(frame: Counts): void;
  /** Adds the events of `words[from]` to `words[to - 1]` to the working frame. @returns the OR of the counts it wrote, before they were cut to 8 bits */
  add(words: Int32Array, from: number, to: number): number;
  /** The same directly to any frame, which is slower. */
  addTo(frame: Counts, words: Int32Array, from: number, to: number): number;
  /** The same by the addon, which is fastest, but takes about a hundred nanoseconds to call. */
  addBy(addon: EventAddon, frame: Uint8Array, words: Int32Array, from: number, to: number): number;
}

/** All that a table can be asked: y and polarity in 16 bits, x in 15. */
const ROWS = 1 << 16;
const COLUMNS = 1 << 15;
/** Counts of one frame: up to 256 x 256 pixels. */
const FRAME = 1 << 17;

/**
 * The tables and the working frame are constants of one function, not properties of an object: the compiler then knows their addresses
 * and lengths, and the inner loop has no checks and no loads but those of its data. That makes it half as fast again; four events at a time
 * make another third. It is also why there is only one adder, to be used by one clip at a time.
 */
function makeAdder(): FrameAdder {
  /** Index of an event's row in a frame [2, H, W], by `y << 1 | polarity`. */
  const rows = new Int32Array(ROWS);
  /** Column, by x. */
  const columns = new Int32Array(COLUMNS);
  const frame = new Uint8Array(FRAME);
  let prepared: FrameLayout | null = null;
  let current: object | null = null;

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
    requireUser: (user) => {
      if (current !== user) throw new RangeError('events of two clips are counted at the same time');
    },
    fits: (target) => target instanceof Uint8Array && target.length <= FRAME,
    clear: (length) => void frame.fill(0, 0, length),
    load: (target) => frame.set(target),
    store: (target) => target.set(frame.subarray(0, target.length)),
    add,
    addTo,
    addBy: (addon, target, words, from, to) => addon.countEvents(target, rows, columns, words, from, to),
  };
}

export const ADDER = makeAdder();
