import { EventBuffer, type Events } from './events.ts';

/** A span of a recording: the events with `startUs <= t < endUs`. */
export interface Span {
  readonly startUs: number;
  readonly endUs: number;
}

/**
 * Sorts a recording's events into clips as they are read; overlapping spans share events.
 * Every event is compared with every span, so that times may go backwards (a binary search would need them sorted).
 */
export class ClipCollector {
  readonly #spans: readonly Span[];
  readonly #buffers: readonly EventBuffer[];
  readonly #from: number;
  readonly #to: number;

  constructor(spans: readonly Span[]) {
    this.#spans = spans;
    this.#buffers = spans.map(() => new EventBuffer());
    this.#from = Math.min(...spans.map((span) => span.startUs));
    this.#to = Math.max(...spans.map((span) => span.endUs));
  }

  push(tUs: number, x: number, y: number, p: number): void {
    if (tUs < this.#from || tUs >= this.#to) return;
    for (let i = 0; i < this.#spans.length; i++) {
      const span = this.#spans[i]!;
      if (tUs >= span.startUs && tUs < span.endUs) this.#buffers[i]!.push(tUs, x, y, p);
    }
  }

  /** The events of each span so far, in file order. */
  clips(): Events[] {
    return this.#buffers.map((buffer) => buffer.events());
  }
}
