import type { EventAddon } from '../../network/addon/event-functions.ts';
import type { Sensor } from './events.ts';

/**
 * Events of a recording in the words of its file, two per event: data (bit 0 valid, bit 1 polarity, bits 2-16 y,
 * bits 17-31 x), then the timestamp. Whole blocks of words are an order of magnitude faster than a call per event.
 *
 * Only valid until the receiver returns: the memory is used again.
 */
export interface EventBlock {
  /** Signed, because V8 keeps such numbers in registers; a timestamp is `word >>> 0`. */
  readonly words: Int32Array;
  /** Index of the first word, and of the one after the last. */
  readonly from: number;
  readonly to: number;
  /** Time of an event: `baseUs` plus its timestamp, µs. */
  readonly baseUs: number;
  /** No event is earlier than the one before it in the block. */
  readonly sorted: boolean;
  /** Where the packet that contains the block starts and ends in the file, bytes. */
  readonly packetFrom: number;
  readonly packetTo: number;
}

export type BlockSink = (block: EventBlock) => void;

/** Time of the event whose first word is `words[at]`, µs. */
export function timeAt({ words, baseUs }: EventBlock, at: number): number {
  return baseUs + (words[at + 1]! >>> 0);
}

/** In a sorted block, the first word of the first event between `from` and `to` that is not before `tUs`; `to` if all are. */
export function findTime(block: EventBlock, from: number, to: number, tUs: number): number {
  const { words } = block;
  const stamp = tUs - block.baseUs;
  let low = from >> 1;
  let high = to >> 1;
  // Blocks start at even words or all at odd ones; halving drops that bit.
  const odd = from & 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (words[2 * middle + odd + 1]! >>> 0 < stamp) low = middle + 1;
    else high = middle;
  }
  return 2 * low + odd;
}

/** Words of so few events that calling the addon takes longer than it saves. */
export const FEW_WORDS = 128;

const isPowerOfTwo = (value: number): boolean => (value & (value - 1)) === 0;

/** Tells in one pass whether a block of events needs no closer look: by the addon if there is one, which takes a third of the time. */
export class EventCheck {
  readonly #addon: EventAddon | null;
  readonly #lastColumn: number;
  readonly #lastRow: number;
  /** Bits of an event's data that are 0 on the sensor; null if its sides are not powers of two. */
  readonly #outside: number | null;

  constructor({ height, width }: Sensor, addon: EventAddon | null) {
    this.#addon = addon;
    this.#lastColumn = width - 1;
    this.#lastRow = height - 1;
    const inside = (this.#lastColumn << 17) | (this.#lastRow << 2) | 0b11;
    this.#outside = isPowerOfTwo(width) && isPowerOfTwo(height) ? ~inside : null;
  }

  /**
   * Whether all pixels are on the sensor, all timestamps are below 2^31 and none is smaller than the one before it.
   *
   * @param from, to words of the block
   * @param allValid whether the validity bits must be set, too
   */
  isRegular(words: Int32Array, from: number, to: number, allValid: boolean): boolean {
    if (this.#addon !== null && to - from >= FEW_WORDS) {
      return this.#addon.areRegular(words, from, to, this.#lastColumn, this.#lastRow, allValid);
    }
    let someBits = 0;
    let commonBits = -1;
    // Bit 31 of a timestamp, or of its difference from the previous one where that is larger.
    let signs = 0;
    let previous = 0;
    let i = from;
    // Four events at a time are faster by a fifth.
    for (; i < to - 6; i += 8) {
      const dataA = words[i]!;
      const stampA = words[i + 1]!;
      const dataB = words[i + 2]!;
      const stampB = words[i + 3]!;
      const dataC = words[i + 4]!;
      const stampC = words[i + 5]!;
      const dataD = words[i + 6]!;
      const stampD = words[i + 7]!;
      someBits |= dataA | dataB | dataC | dataD;
      commonBits &= dataA & dataB & dataC & dataD;
      signs |= stampA | stampB | stampC | stampD;
      signs |= (stampA - previous) | 0 | ((stampB - stampA) | 0);
      signs |= (stampC - stampB) | 0 | ((stampD - stampC) | 0);
      previous = stampD;
    }
    for (; i < to; i += 2) {
      const data = words[i]!;
      const stamp = words[i + 1]!;
      someBits |= data;
      commonBits &= data;
      signs |= stamp | ((stamp - previous) | 0);
      previous = stamp;
    }
    if (signs < 0 || (allValid && (commonBits & 1) === 0)) return false;
    if (this.#outside !== null) return (someBits & this.#outside) === 0;
    return this.#isInside(words, from, to);
  }

  #isInside(words: Int32Array, from: number, to: number): boolean {
    const [lastColumn, lastRow] = [this.#lastColumn, this.#lastRow];
    let signs = 0;
    for (let i = from; i < to; i += 2) {
      const data = words[i]!;
      signs |= (lastColumn - (data >>> 17)) | (lastRow - ((data >>> 2) & 0x7fff));
    }
    return signs >= 0;
  }
}
