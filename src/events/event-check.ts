import { type EventAddon, findEventAddon } from '../addon/event-addon.ts';
import type { Sensor } from './events.ts';

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

  constructor({ height, width }: Sensor, addon = findEventAddon()) {
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
