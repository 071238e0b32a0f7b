import type { Normalization } from '../../results/clip-index.ts';
import type { Overlaps, RowStride, SplitBy } from '../../results/thesis/compat.ts';
import type { FrameLayout } from '../events/frames.ts';

/** A profile's `frames:`. */
export interface FrameSettings {
  /** T: frames per clip. */
  readonly steps: number;
  readonly splitBy: SplitBy;
  /** How long each frame lasts with `splitBy: duration`, µs. */
  readonly durationUs?: number;
  /** Pixels binned in each direction; default 1. */
  readonly downsample?: number;
  /** Default `keep`. */
  readonly invalidEvents?: 'keep' | 'drop';
  /** Default `both`. */
  readonly overlaps?: Overlaps;
  /** Default `width`. */
  readonly rowStride?: RowStride;
  /** What readers of the frames divide the counts by; default `none`. */
  readonly normalization?: Normalization | 'none';
  /** Clips per class, the first in sorted order; default all. */
  readonly limit?: { readonly train?: number; readonly test?: number };
}

/** A profile's `frames:` for images: still ones, or split into T = `steps` strips of rows. */
export type ImageSettings = Pick<FrameSettings, 'limit'> &
  (object | { readonly steps: number; readonly splitBy: 'rows' });

export function layoutOf(
  { steps, splitBy, durationUs, downsample = 1 }: FrameSettings,
  sensor: FrameLayout['sensor'],
): FrameLayout {
  return { steps, splitBy, durationUs, downsample, sensor };
}

/** @returns the positions of the first `most` members of each class, in order; of all if there is no limit */
export function limitPerClass(classes: Iterable<number>, most: number | undefined): number[] {
  const taken = new Map<number, number>();
  const kept: number[] = [];
  let position = 0;
  for (const label of classes) {
    const count = (taken.get(label) ?? 0) + 1;
    if (most === undefined || count <= most) {
      taken.set(label, count);
      kept.push(position);
    }
    position += 1;
  }
  return kept;
}
