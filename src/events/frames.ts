import { ReproError } from '../errors.ts';
import type { Events, Sensor } from './events.ts';

export type SplitBy = 'number' | 'time';

/** How events become frames. */
export interface FrameLayout {
  /** T: frames per clip. */
  readonly steps: number;
  readonly splitBy: SplitBy;
  readonly sensor: Sensor;
  /** Pixels binned in each direction; must divide the sensor's height and width. */
  readonly downsample: number;
}

/** Rows and columns of a frame. */
export interface FrameSize {
  readonly height: number;
  readonly width: number;
}

/** @throws {ReproError} `frames` if `steps` or `downsample` is not a whole number >= 1, or `downsample` does not divide the sensor */
export function frameSize({ steps, sensor, downsample }: FrameLayout): FrameSize {
  if (!Number.isInteger(steps) || steps < 1) {
    throw new ReproError('frames', `frames.steps must be a whole number >= 1, not ${steps}.`);
  }
  const { height, width } = sensor;
  if (
    !Number.isInteger(downsample) ||
    downsample < 1 ||
    height % downsample !== 0 ||
    width % downsample !== 0
  ) {
    const choices = Array.from({ length: Math.min(height, width) }, (_, i) => i + 1).filter(
      (factor) => height % factor === 0 && width % factor === 0,
    );
    throw new ReproError(
      'frames',
      `frames.downsample ${downsample} does not divide the sensor's ${height} x ${width} pixels.`,
      { fix: `Use one of ${choices.join(', ')}.` },
    );
  }
  return { height: height / downsample, width: width / downsample };
}

/**
 * Counts a clip's events in T frames. Every event is counted exactly once.
 *
 * `number`: `floor(N / T)` events per frame, in file order; the last frame takes the rest. With fewer events than
 * frames, all are in the last frame and the others are empty.
 * `time`: `Δt = floor((t_last − t_first) / T)`, frame i takes `t_first + [Δt·i, Δt·(i + 1))`; the last frame takes
 * the rest. In a clip shorter than T µs (Δt = 0) that is again everything. A span without events is an empty frame,
 * whereas the original fails with an index past the end. First and last are the smallest and largest time, so that
 * out-of-order events are still counted once each.
 *
 * @param counts [T, 2, H, W], C order, channel = polarity; overwritten
 * @returns the largest count
 */
export function integrateFrames(events: Events, layout: FrameLayout, counts: Uint32Array): number {
  const { height, width } = frameSize(layout);
  const { steps, downsample } = layout;
  const { tUs, x, y, p } = events;
  const frameLength = 2 * height * width;
  if (counts.length !== steps * frameLength) {
    throw new ReproError(
      'frames',
      `counts must contain [${steps}, 2, ${height}, ${width}] = ${steps * frameLength} numbers, not ${counts.length}.`,
    );
  }
  counts.fill(0);
  const perFrame = Math.floor(tUs.length / steps);
  const { firstUs, stepUs } = timeSteps(tUs, steps);
  let largest = 0;
  for (let i = 0; i < tUs.length; i++) {
    const position =
      layout.splitBy === 'number' ? slot(i, perFrame, steps) : slot(tUs[i]! - firstUs, stepUs, steps);
    const row = Math.floor(y[i]! / downsample);
    const column = Math.floor(x[i]! / downsample);
    const at = position * frameLength + (p[i]! * height + row) * width + column;
    const count = counts[at]! + 1;
    counts[at] = count;
    if (count > largest) largest = count;
  }
  return largest;
}

/** The frame that `amount` falls into when each frame but the last takes `each`. */
function slot(amount: number, each: number, steps: number): number {
  return each === 0 ? steps - 1 : Math.min(steps - 1, Math.floor(amount / each));
}

function timeSteps(tUs: Float64Array, steps: number): { firstUs: number; lastUs: number; stepUs: number } {
  let firstUs = Number.POSITIVE_INFINITY;
  let lastUs = Number.NEGATIVE_INFINITY;
  for (const t of tUs) {
    if (t < firstUs) firstUs = t;
    if (t > lastUs) lastUs = t;
  }
  return { firstUs, lastUs, stepUs: Math.floor((lastUs - firstUs) / steps) };
}

/**
 * How long each frame of a clip lasts, for `normaliseFrames('frequency')`.
 *
 * `time`: Δt, and for the last frame the remainder up to the last event. `number`: from the frame's first event to
 * the next frame's; for the last frame, where the original indexes past the end, up to the last event.
 *
 * @returns [T], µs; 0 where a frame has no duration (no events, or all at one time)
 */
export function frameDurationsUs(
  events: Events,
  layout: Pick<FrameLayout, 'steps' | 'splitBy'>,
): Float64Array {
  const { tUs } = events;
  const { steps, splitBy } = layout;
  const durations = new Float64Array(steps);
  if (tUs.length === 0) return durations;
  const { firstUs, lastUs, stepUs } = timeSteps(tUs, steps);
  const perFrame = Math.floor(tUs.length / steps);
  const lastOfClip = tUs[tUs.length - 1]!;
  for (let i = 0; i < steps; i++) {
    const isLast = i === steps - 1;
    if (splitBy === 'time') durations[i] = isLast ? lastUs - firstUs - stepUs * i : stepUs;
    else durations[i] = (isLast ? lastOfClip : tUs[(i + 1) * perFrame]!) - tUs[i * perFrame]!;
  }
  return durations;
}
