import type { Events } from './events.ts';
import { type FrameLayout, frameDurationsUs, integrateFrames } from './frames.ts';

/** The events of one clip, however they are stored. */
export interface ClipEvents {
  readonly count: number;
  /**
   * Counts the events in T frames, as `integrateFrames`.
   *
   * @param counts [T, 2, H, W], C order; overwritten
   * @returns the largest count
   */
  integrate(layout: FrameLayout, counts: Uint32Array): number;
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
