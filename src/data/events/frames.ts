import { ReproError, unreachable } from '../../base/errors.ts';
import type { FramesFrom } from '../../results/dataset-facts.ts';
import type { SplitBy } from '../../results/thesis/compat.ts';
import type { Events, Sensor } from './events.ts';

/** How events become frames. */
export interface FrameLayout {
  /** T: frames per clip. */
  readonly steps: number;
  readonly splitBy: SplitBy;
  /** How long each frame lasts with `splitBy: duration`, µs, a whole number. */
  readonly durationUs?: number | undefined;
  /** Where the first frame begins with `splitBy: time` and `duration`; default: at the first event. */
  readonly from?: FramesFrom | undefined;
  readonly sensor: Sensor;
  /** Pixels binned in each direction; must divide the sensor's height and width. */
  readonly downsample: number;
}

/** Rows and columns of a frame. */
export interface FrameSize {
  readonly height: number;
  readonly width: number;
}

/** Event counts, [T, 2, H, W], in any type: the narrower, the less memory is touched. */
export type Counts = Uint8Array<ArrayBuffer> | Uint16Array<ArrayBuffer> | Uint32Array<ArrayBuffer>;

/** What has to be known of a clip before its events can be put into frames. */
export interface SplitClip {
  /** Number of events. */
  readonly count: number;
  /** Smallest and largest time, µs; of no meaning without events. */
  readonly firstUs: number;
  readonly lastUs: number;
}

/** What a profile may ask for. */
const DOWNSAMPLES = [1, 2, 4, 8, 16];

/** @throws {ReproError} `frames` if `downsample` does not divide the sensor */
export function frameSize({ sensor, downsample }: Pick<FrameLayout, 'sensor' | 'downsample'>): FrameSize {
  const { height, width } = sensor;
  if (height % downsample !== 0 || width % downsample !== 0) {
    const choices = DOWNSAMPLES.filter((factor) => height % factor === 0 && width % factor === 0);
    const text = `frames.downsample ${downsample} does not divide the sensor's height of ${height} and width of ${width}.`;
    throw new ReproError('frames', text, { fix: `What fits: ${choices.join(', ')}.` });
  }
  return { height: height / downsample, width: width / downsample };
}

/**
 * Which events of a clip belong to which of T frames.
 *
 * `number`: `floor(N / T)` events per frame, in file order; the last frame takes the rest. With fewer events than
 * frames, all are in the last frame and the others are empty.
 * `time`: `Δt = floor((t_last − t_first) / T)`, frame i takes `t_first + [Δt·i, Δt·(i + 1))`; the last frame takes
 * the rest. In a clip shorter than T µs (Δt = 0) that is again everything. A span without events is an empty frame,
 * whereas the original fails with an index past the end. First and last are the smallest and largest time, so that
 * out-of-order events are still counted once each.
 * With `from: file`, `time` and `duration` count from 0 instead of t_first.
 * `duration`: the same with the given Δt, whatever the clip's length, except that events from T·Δt on are left out: frame T. With
 * `from: file`, the last frame also has T·Δt itself: the end of a sound as long as the frames, when it is measured for the last time.
 */
export class FrameSplit {
  readonly steps: number;
  /** Whether an event's time, not its index, decides. */
  readonly byTime: boolean;
  readonly #splitBy: SplitBy;
  readonly #firstUs: number;
  readonly #lastUs: number;
  /** Events or µs per frame. */
  readonly #each: number;
  /** Where events begin to be left out, µs. */
  readonly #endUs: number = Number.POSITIVE_INFINITY;

  constructor(
    { steps, splitBy, durationUs, from }: Omit<FrameLayout, 'sensor' | 'downsample'>,
    clip: SplitClip,
  ) {
    this.steps = steps;
    this.byTime = splitBy !== 'number';
    this.#splitBy = splitBy;
    this.#firstUs = from === 'file' ? 0 : clip.firstUs;
    this.#lastUs = clip.lastUs;
    switch (splitBy) {
      case 'number':
        this.#each = Math.floor(clip.count / steps);
        break;
      case 'time':
        this.#each = Math.floor((clip.lastUs - this.#firstUs) / steps);
        break;
      case 'duration':
        this.#each = durationUs!;
        this.#endUs = this.#firstUs + steps * this.#each + (from === 'file' ? 1 : 0);
        break;
      default:
        unreachable(splitBy);
    }
  }

  /** The frame of the event with this index and time; T if it is left out. */
  frameOf(index: number, tUs: number): number {
    if (tUs >= this.#endUs) return this.steps;
    const amount = this.byTime ? tUs - this.#firstUs : index;
    const last = this.steps - 1;
    return this.#each === 0 ? last : Math.min(last, Math.floor(amount / this.#each));
  }

  /** The index of the first event after a frame, by number. */
  endIndex(frame: number): number {
    return frame === this.steps - 1 ? Number.POSITIVE_INFINITY : (frame + 1) * this.#each;
  }

  /** The end of a frame, by time, µs; infinite for the last one unless later events are left out. */
  endUs(frame: number): number {
    if (frame === this.steps - 1) return this.#endUs;
    return frame === this.steps ? Number.POSITIVE_INFINITY : this.#firstUs + (frame + 1) * this.#each;
  }

  /** How long a frame lasts, by time, µs. */
  lengthUs(frame: number): number {
    const takesRest = this.#splitBy === 'time' && frame === this.steps - 1;
    return takesRest ? this.#lastUs - this.#firstUs - this.#each * frame : this.#each;
  }

  /** The index of a frame's first event, by number. */
  startIndex(frame: number): number {
    return frame * this.#each;
  }
}

/**
 * Counts a clip's events in T frames, as `FrameSplit` says: each once, unless it is left out.
 *
 * @param counts [T, 2, H, W], C order, channel = polarity; overwritten
 * @returns the largest count; if it does not fit the array's type, the counts are worthless
 */
export function integrateFrames(events: Events, layout: FrameLayout, counts: Counts): number {
  const { height, width } = frameSize(layout);
  const { steps, downsample } = layout;
  const { tUs, x, y, p } = events;
  const frameLength = 2 * height * width;
  counts.fill(0);
  const split = new FrameSplit(layout, describeClip(events));
  let largest = 0;
  for (let i = 0; i < tUs.length; i++) {
    const frame = split.frameOf(i, tUs[i]!);
    if (frame >= steps) continue;
    const row = Math.floor(y[i]! / downsample);
    const column = Math.floor(x[i]! / downsample);
    const at = frame * frameLength + (p[i]! * height + row) * width + column;
    const count = counts[at]! + 1;
    counts[at] = count;
    if (count > largest) largest = count;
  }
  return largest;
}

function describeClip({ tUs }: Events): SplitClip {
  let firstUs = Number.POSITIVE_INFINITY;
  let lastUs = Number.NEGATIVE_INFINITY;
  for (const t of tUs) {
    if (t < firstUs) firstUs = t;
    if (t > lastUs) lastUs = t;
  }
  return { count: tUs.length, firstUs, lastUs };
}

/**
 * How long each frame of a clip lasts, for `normaliseFrames('frequency')`.
 *
 * `time`: Δt, and for the last frame the remainder up to the last event. `duration`: Δt. `number`: from the frame's first
 * event to the next frame's; for the last frame, where the original indexes past the end, up to the last event.
 *
 * @returns [T], µs; 0 where a frame has no duration (no events, or all at one time)
 */
export function frameDurationsUs(
  events: Events,
  layout: Omit<FrameLayout, 'sensor' | 'downsample'>,
): Float64Array {
  const { tUs } = events;
  return durationsOfFrames(layout, describeClip(events), (index) => tUs[index] ?? tUs[tUs.length - 1]!);
}

/** The same for events that are stored in another way. @param timeOf the time of an event; of the last one for the index N */
export function durationsOfFrames(
  layout: Omit<FrameLayout, 'sensor' | 'downsample'>,
  clip: SplitClip,
  timeOf: (index: number) => number,
): Float64Array {
  const { steps } = layout;
  const durations = new Float64Array(steps);
  if (clip.count === 0) return durations;
  const split = new FrameSplit(layout, clip);
  for (let i = 0; i < steps; i++) {
    if (split.byTime) durations[i] = split.lengthUs(i);
    else
      durations[i] =
        timeOf(i === steps - 1 ? clip.count : split.startIndex(i + 1)) - timeOf(split.startIndex(i));
  }
  return durations;
}

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

/**
 * Moves events to the pixels to which the original's converter counts them: it takes y · height + x for a pixel's position in a frame, as if
 * a row had as many pixels as the sensor has rows. On a square sensor that is right. On 240 x 180 pixels, each row begins 60 pixels too
 * early: the picture is sheared, its rows overlap, and the last 44 stay empty.
 */
export function shearEvents(events: Events, { height, width }: Sensor): Events {
  const positions = Uint32Array.from(events.x, (x, i) => events.y[i]! * height + x);
  return {
    ...events,
    x: Uint16Array.from(positions, (position) => position % width),
    y: Uint16Array.from(positions, (position) => Math.floor(position / width)),
  };
}

export type Normalisation = 'frequency' | 'max' | 'norm' | 'sum';

/** The original's lower bound for divisors, so that empty frames stay 0. */
const EPSILON = 1e-5;

/**
 * Normalises counts at load time, each frame and polarity separately, in place.
 *
 * `max`: `c / max(c_max, ε)`. `sum`: `c / max(Σc, ε)`. `norm`: `(c − mean) / √max(s², ε)` with the unbiased variance
 * s². `frequency`: `c / duration`, events per µs; a frame without duration counts as 1 µs.
 *
 * @param frames [T, 2, H, W] of one clip
 * @param durationsUs [T]; only for `frequency`
 * @throws {RangeError} if they are missing for `frequency`
 */
export function normaliseFrames(
  frames: Float32Array,
  size: FrameSize,
  kind: Normalisation,
  durationsUs: Float64Array | null = null,
): void {
  const length = size.height * size.width;
  if (kind === 'frequency' && durationsUs?.length !== frames.length / (2 * length)) {
    throw new RangeError('frequency needs one duration per frame');
  }
  for (let map = 0; map * length < frames.length; map++) {
    const counts = frames.subarray(map * length, (map + 1) * length);
    const [shift, divisor] = shiftAndDivisor(counts, kind, durationsUs?.[map >> 1] ?? 0);
    for (let i = 0; i < length; i++) counts[i] = (counts[i]! - shift) / divisor;
  }
}

function shiftAndDivisor(counts: Float32Array, kind: Normalisation, durationUs: number): [number, number] {
  switch (kind) {
    case 'frequency':
      return [0, Math.max(durationUs, 1)];
    case 'max':
      return [
        0,
        Math.max(
          counts.reduce((a, b) => Math.max(a, b), 0),
          EPSILON,
        ),
      ];
    case 'sum':
      return [0, Math.max(sum(counts), EPSILON)];
    case 'norm': {
      const mean = sum(counts) / counts.length;
      const squares = counts.reduce((total, count) => total + (count - mean) ** 2, 0);
      return [mean, Math.sqrt(Math.max(squares / (counts.length - 1), EPSILON))];
    }
    default:
      return unreachable(kind);
  }
}

function sum(counts: Float32Array): number {
  return counts.reduce((total, count) => total + count, 0);
}
