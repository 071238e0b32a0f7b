import type { Events } from './events.ts';
import { type Counts, type FrameLayout, frameDurationsUs, integrateFrames } from './frames.ts';

/** The events of one clip, however they are stored. */
export interface ClipEvents {
  readonly count: number;
  /**
   * Counts the events in T frames, as `integrateFrames`.
   *
   * @param counts [T, 2, H, W], C order; overwritten
   * @returns at least the largest count, and below a power of two if that is; if it does not fit the array's type,
   *   the counts are worthless, and a wider array is needed
   */
  integrate(layout: FrameLayout, counts: Counts): number;
  /** The duration of each frame, as `frameDurationsUs`: [T], µs. */
  durationsUs(layout: FrameLayout): Float64Array;
}

/** Events that a reader has decoded into arrays. */
export function clipOfEvents(events: Events): ClipEvents {
  return {
    count: events.tUs.length,
    integrate: (layout, counts) => integrateFrames(events, layout, counts),
    durationsUs: (layout) => frameDurationsUs(events, layout),
  };
}
