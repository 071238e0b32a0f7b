import { type Events, type Sensor, sliceEvents } from '../events.ts';
import { type Aedat4Place, failAedat4 } from './errors.ts';

export const EVENT_BYTES = 16;

/** The upper half of a time of 2^53 µs: a double holds exactly what is below. */
const HIGH_LIMIT = 2 ** 21;

/** Collects the events of packets in arrays that grow by a packet at a time, at least to double. */
export class EventStore {
  readonly #sensor: Sensor;
  #events: Events;
  #length = 0;
  #previousUs = 0;
  #backwards = 0;
  #firstBackwards: Aedat4Place | null = null;

  /** @param capacity events for which there is memory before the arrays have to grow */
  constructor(sensor: Sensor, capacity: number) {
    this.#sensor = sensor;
    this.#events = makeEvents(capacity);
  }

  get length(): number {
    return this.#length;
  }

  /** Events that are earlier than the one before, and where the first is. */
  get backwards(): { readonly times: number; readonly first: Aedat4Place } | null {
    return this.#firstBackwards === null ? null : { times: this.#backwards, first: this.#firstBackwards };
  }

  /** The collected events as views of the memory: valid until the next `add`. */
  events(): Events {
    return sliceEvents(this.#events, 0, this.#length);
  }

  /**
   * @param elements 16 bytes per event, little-endian: time (i64, µs), x (i16), y (i16), polarity (u8), 3 unused
   * @param at of the first in the packet's contents, for messages
   */
  add(elements: Uint8Array, at: number, place: Aedat4Place): void {
    const count = elements.length / EVENT_BYTES;
    this.#reserve(count);
    const view = new DataView(elements.buffer, elements.byteOffset, elements.byteLength);
    const { tUs, x, y, p } = this.#events;
    const { width, height } = this.#sensor;
    let previousUs = this.#previousUs;
    let to = this.#length;
    for (let from = 0; from < elements.length; from += EVENT_BYTES, to++) {
      const high = view.getInt32(from + 4, true);
      const column = view.getInt16(from + 8, true);
      const row = view.getInt16(from + 10, true);
      // As unsigned numbers, negative ones are too large as well.
      if (column >>> 0 >= width || row >>> 0 >= height) {
        const inside = at + from;
        const size = `${width} x ${height}`;
        const what = `event ${to} of the recording is at x ${column}, y ${row}, outside the sensor's ${size} pixels`;
        failAedat4('aedat4-event', { ...place, inside }, what);
      }
      if (high >>> 0 >= HIGH_LIMIT) {
        const time = view.getBigInt64(from, true);
        const what = `event ${to} of the recording is at ${time} µs; times are from 0 to 2^53`;
        failAedat4('aedat4-event', { ...place, inside: at + from }, what);
      }
      const time = high * 2 ** 32 + view.getUint32(from, true);
      if (time < previousUs && this.#backwards++ === 0)
        this.#firstBackwards = { ...place, inside: at + from };
      previousUs = time;
      tUs[to] = time;
      x[to] = column;
      y[to] = row;
      p[to] = Math.min(1, elements[from + 12]!);
    }
    this.#previousUs = previousUs;
    this.#length = to;
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#events.tUs.length) return;
    const grown = makeEvents(Math.max(needed, 2 * this.#events.tUs.length));
    const now = this.events();
    grown.tUs.set(now.tUs);
    grown.x.set(now.x);
    grown.y.set(now.y);
    grown.p.set(now.p);
    this.#events = grown;
  }
}

function makeEvents(length: number): Events {
  return {
    tUs: new Float64Array(length),
    x: new Uint16Array(length),
    y: new Uint16Array(length),
    p: new Uint8Array(length),
  };
}
