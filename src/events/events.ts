/**
 * A dynamic vision sensor's events as a struct of arrays of equal length, in recording order.
 *
 * Times are whole microseconds in doubles, exact up to 2^53 µs (285 years). A recording's 31-bit clock
 * and its overflow counter need about 40 bits, and a BigInt array would be several times slower.
 */
export interface Events {
  /** Time, µs, whole numbers. */
  readonly tUs: Float64Array;
  /** Column, 0 at the left as in the file. */
  readonly x: Uint16Array;
  /** Row. */
  readonly y: Uint16Array;
  /** Polarity: 1 brighter (on), 0 darker (off). */
  readonly p: Uint8Array;
}

/** Rows and columns of a sensor, in pixels. */
export interface Sensor {
  readonly height: number;
  readonly width: number;
}

/** Events that are all 0. */
export function makeEvents(length: number): Events {
  return {
    tUs: new Float64Array(length),
    x: new Uint16Array(length),
    y: new Uint16Array(length),
    p: new Uint8Array(length),
  };
}

/** Takes one event; readers call it in file order. */
export type EventSink = (tUs: number, x: number, y: number, p: number) => void;

/** The events `from <= index < to` as views of the same memory. */
export function sliceEvents(events: Events, from: number, to: number): Events {
  return {
    tUs: events.tUs.subarray(from, to),
    x: events.x.subarray(from, to),
    y: events.y.subarray(from, to),
    p: events.p.subarray(from, to),
  };
}

/** Collects events one by one into arrays that double as they fill. */
export class EventBuffer {
  #tUs: Float64Array;
  #x: Uint16Array;
  #y: Uint16Array;
  #p: Uint8Array;
  #length = 0;

  constructor(capacity = 4096) {
    const { tUs, x, y, p } = makeEvents(capacity);
    this.#tUs = tUs;
    this.#x = x;
    this.#y = y;
    this.#p = p;
  }

  push(tUs: number, x: number, y: number, p: number): void {
    const at = this.#length;
    if (at === this.#tUs.length) this.#grow();
    this.#tUs[at] = tUs;
    this.#x[at] = x;
    this.#y[at] = y;
    this.#p[at] = p;
    this.#length = at + 1;
  }

  /** The collected events as views of the buffer's memory: valid until the next `push`. */
  events(): Events {
    return sliceEvents({ tUs: this.#tUs, x: this.#x, y: this.#y, p: this.#p }, 0, this.#length);
  }

  #grow(): void {
    const grown = makeEvents(Math.max(1024, this.#tUs.length * 2));
    grown.tUs.set(this.#tUs);
    grown.x.set(this.#x);
    grown.y.set(this.#y);
    grown.p.set(this.#p);
    this.#tUs = grown.tUs;
    this.#x = grown.x;
    this.#y = grown.y;
    this.#p = grown.p;
  }
}
