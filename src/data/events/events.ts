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
  #memory: Events;
  #length = 0;

  constructor(capacity = 4096) {
    this.#memory = makeEvents(capacity);
  }

  get length(): number {
    return this.#length;
  }

  /** Time of the last event, µs; 0 without events. */
  get lastUs(): number {
    return this.#memory.tUs[this.#length - 1] ?? 0;
  }

  push(tUs: number, x: number, y: number, p: number): void {
    const at = this.#length;
    if (at === this.#memory.tUs.length) this.#grow();
    const memory = this.#memory;
    memory.tUs[at] = tUs;
    memory.x[at] = x;
    memory.y[at] = y;
    memory.p[at] = p;
    this.#length = at + 1;
  }

  /** The collected events as views of the buffer's memory: valid until the next `push`. */
  events(): Events {
    return sliceEvents(this.#memory, 0, this.#length);
  }

  #grow(): void {
    const { tUs, x, y, p } = this.#memory;
    this.#memory = makeEvents(Math.max(1024, tUs.length * 2));
    this.#memory.tUs.set(tUs);
    this.#memory.x.set(x);
    this.#memory.y.set(y);
    this.#memory.p.set(p);
  }
}
