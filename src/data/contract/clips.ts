import type { CachedClip } from '../../results/clip-index.ts';
import type { ClipEvents } from '../events/frames.ts';

export type Split = 'train' | 'test';
export const SPLITS: readonly Split[] = ['train', 'test'];

/** One gesture or digit: a row of the frame cache. `startUs` and `endUs` are null until the recording is read. */
export type Clip = Omit<CachedClip, 'events' | 'durationsUs'>;

/** The clips of both splits, sorted by recording name and then in label order. */
export type Clips = Readonly<Record<Split, readonly Clip[]>>;

/** A clip with its events, which are only valid until the visitor returns. */
export interface ReadClip {
  readonly split: Split;
  /** Index in `clips[split]`. */
  readonly row: number;
  readonly startUs: number;
  readonly endUs: number;
  readonly events: ClipEvents;
}
