import { ReproError } from '../../errors.ts';
import { type FrameLayout, SPLITS_BY, type SplitBy } from '../../events/frames.ts';
import { NORMALIZATIONS, type Normalization } from '../../results/clip-index.ts';
import { FRAME_SWITCHES, OVERLAPS, type Overlaps, type RowStride } from '../../thesis/compat.ts';
import { SPLITS } from '../contract/dataset.ts';

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

export function layoutOf(
  { steps, splitBy, durationUs, downsample = 1 }: FrameSettings,
  sensor: FrameLayout['sensor'],
): FrameLayout {
  return { steps, splitBy, durationUs, downsample, sensor };
}

/** @throws {ReproError} `frames` for a value that the profile's schema would reject, too */
export function checkSettings(settings: FrameSettings): void {
  const { splitBy, invalidEvents = 'keep', overlaps = 'both', rowStride = 'width' } = settings;
  const { normalization = 'none', limit } = settings;
  if (!SPLITS_BY.some((one) => one === splitBy)) {
    fail('frames.splitBy', '"number", "time" or "duration"', splitBy);
  }
  if (invalidEvents !== 'keep' && invalidEvents !== 'drop') {
    fail('frames.invalidEvents', '"keep" or "drop"', invalidEvents);
  }
  if (!OVERLAPS.some((one) => one === overlaps)) fail('frames.overlaps', '"both" or "earlier"', overlaps);
  if (!FRAME_SWITCHES.rowStride.choices.some(({ value }) => value === rowStride)) {
    fail('frames.rowStride', '"width" or "height"', rowStride);
  }
  const normalizations = ['none', ...NORMALIZATIONS];
  if (!normalizations.some((kind) => kind === normalization)) {
    fail('frames.normalization', `one of ${normalizations.join(', ')}`, normalization);
  }
  for (const split of SPLITS) {
    const most = limit?.[split];
    if (most !== undefined && !(Number.isInteger(most) && most >= 1)) {
      fail(`frames.limit.${split}`, 'a whole number >= 1', most);
    }
  }
}

function fail(key: string, wanted: string, found: unknown): never {
  throw new ReproError('frames', `${key} must be ${wanted}, not ${JSON.stringify(found)}.`, {
    where: 'profile',
  });
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
