import type { Counts, FrameLayout } from '../events/frames.ts';
import { frameSize } from '../events/frames.ts';
import type { ReadClip, Split } from './dataset.ts';

/** One clip's frames: a row of the frame cache. */
export interface FrameRow {
  readonly split: Split;
  readonly row: number;
  readonly startUs: number;
  readonly endUs: number;
  /** Events in the frames, and those left out by `splitBy: duration`. */
  readonly events: number;
  readonly laterEvents: number;
  /** [T, 2, H, W], in a type that holds them. */
  readonly counts: Counts;
  /** [T], µs; null unless wanted. */
  readonly durationsUs: readonly number[] | null;
}

const WIDTHS = [Uint8Array, Uint16Array, Uint32Array] as const;

/** Counts the events of clips in frames, in the narrowest type that has been wide enough so far. */
export class FrameRows {
  readonly #layout: FrameLayout;
  readonly #withDurations: boolean;
  readonly #length: number;
  /** Index in `WIDTHS`. Once one clip needs it, the whole cache does, and trying a narrower one would be in vain. */
  #width = 0;

  constructor(layout: FrameLayout, withDurations: boolean) {
    const { height, width } = frameSize(layout);
    this.#layout = layout;
    this.#withDurations = withDurations;
    this.#length = layout.steps * 2 * height * width;
  }

  /** @param takeSpare memory that may be used for the counts */
  make({ split, row, startUs, endUs, events }: ReadClip, takeSpare: () => ArrayBuffer | undefined): FrameRow {
    const counts = this.#integrate(events, takeSpare);
    const inFrames = this.#layout.splitBy === 'duration' ? sum(counts) : events.count;
    return {
      split,
      row,
      startUs,
      endUs,
      events: inFrames,
      laterEvents: events.count - inFrames,
      counts,
      durationsUs: this.#withDurations ? [...events.durationsUs(this.#layout)] : null,
    };
  }

  #integrate(events: ReadClip['events'], takeSpare: () => ArrayBuffer | undefined): Counts {
    for (;;) {
      const Type = WIDTHS[this.#width]!;
      const sizeBytes = this.#length * Type.BYTES_PER_ELEMENT;
      const spare = takeSpare();
      const counts = spare?.byteLength === sizeBytes ? new Type(spare) : new Type(this.#length);
      const largest = events.integrate(this.#layout, counts);
      if (largest < 2 ** (8 * Type.BYTES_PER_ELEMENT) || this.#width === WIDTHS.length - 1) return counts;
      this.#width += 1;
    }
  }
}

function sum(counts: Counts): number {
  let total = 0;
  for (const count of counts) total += count;
  return total;
}
