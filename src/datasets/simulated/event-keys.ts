import { EventBuffer, type Events } from '../../events/events.ts';

/** Coordinates below 128 take 7 bits each and the polarity one: a key is `time · 2^15 + y · 2^8 + x · 2 + polarity`. */
const POSITION_VALUES = 2 ** 15;
const LARGEST_COORDINATE = 127;

/**
 * Collects events in any order and returns them by time, and within a microsecond by row, column and polarity.
 * An event is one number, exact below 2^53: sorting numbers is fast and leaves no ties.
 */
export class EventKeys {
  #keys = new Float64Array(1 << 16);
  #length = 0;

  /** @param tUs time, whole µs >= 0; x and y are below 128, p is 0 or 1 */
  push(tUs: number, x: number, y: number, p: number): void {
    if (this.#length === this.#keys.length) {
      const grown = new Float64Array(this.#keys.length * 2);
      grown.set(this.#keys);
      this.#keys = grown;
    }
    this.#keys[this.#length++] = tUs * POSITION_VALUES + ((y << 8) | (x << 1) | p);
  }

  sorted(): Events {
    const keys = this.#keys.slice(0, this.#length).sort();
    const events = new EventBuffer(keys.length);
    for (const key of keys) {
      const tUs = Math.floor(key / POSITION_VALUES);
      const position = key - tUs * POSITION_VALUES;
      events.push(tUs, (position >> 1) & LARGEST_COORDINATE, position >> 8, position & 1);
    }
    return events.events();
  }
}
