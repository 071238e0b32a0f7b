import type { EventSink } from '../events/events.ts';
import type { RandomStream } from './random-stream.ts';

/** Thresholds and timing of an array of event pixels. */
export interface PixelArray {
  readonly width: number;
  readonly height: number;
  /** Per pixel: the rise of log luminance above the remembered one that triggers an ON event. */
  readonly onThreshold: Float32Array;
  /** Per pixel: the fall that triggers an OFF event; > 0. */
  readonly offThreshold: Float32Array;
  /** How long a pixel is held in reset after its event, µs; its memory then starts from the luminance at the end. */
  readonly refractoryUs: number;
}

/**
 * The pixels of a dynamic vision sensor. Each remembers the log luminance R at its last reset. Between two images log
 * luminance is linear, and a pixel whose `L(t) − R` reaches `+θ_on` (or `−θ_off`) fires an ON (or OFF) event at that
 * exact time and resets: `R ← R ± θ` without a refractory period, otherwise `R ← L(t + refractory)`, since a real pixel's
 * differencing amplifier is held in reset that long.
 *
 * @see Lichtsteiner, Posch, Delbruck 2008, "A 128 x 128 120 dB 15 µs latency asynchronous temporal contrast vision sensor"
 */
export class VisionSensor {
  readonly #pixels: PixelArray;
  readonly #emit: EventSink;
  /** R + θ_on and R − θ_off of each pixel: for most pixels of most images, the only comparison needed. */
  readonly #upper: Float32Array;
  readonly #lower: Float32Array;
  /** Log luminance at the end of the last interval, without `common`. */
  readonly #last: Float32Array;
  #lastCommon: number;
  #timeUs: number;
  /** Pixels still in reset when the last interval ended, and until when (fractional µs). */
  #held: { pixel: number; untilUs: number }[] = [];

  /**
   * @param first log luminance at `timeUs`, row by row; every pixel has settled to it
   * @param common added to every pixel: the light's flicker
   * @param emit receives an interval's events pixel by pixel: sorted within a pixel, not across pixels
   */
  constructor(pixels: PixelArray, first: Float32Array, timeUs: number, emit: EventSink, common = 0) {
    this.#pixels = pixels;
    this.#emit = emit;
    this.#last = first.slice();
    this.#upper = new Float32Array(first.length);
    this.#lower = new Float32Array(first.length);
    this.#lastCommon = common;
    this.#timeUs = timeUs;
    for (let pixel = 0; pixel < first.length; pixel++) this.#memorise(pixel, first[pixel]! + common);
  }

  /** Advances to the next image: emits every event with last time < t <= `timeUs`, times rounded down to µs. */
  advance(next: Float32Array, timeUs: number, common = 0): void {
    const upper = this.#upper;
    const lower = this.#lower;
    const last = this.#last;
    const lastCommon = this.#lastCommon;
    this.#releaseHeld(next, timeUs, common);
    for (let i = 0; i < next.length; i++) {
      const level = next[i]! + common;
      if (level >= upper[i]! || level <= lower[i]!) this.#firePixel(i, last[i]! + lastCommon, level, timeUs);
    }
    last.set(next);
    this.#lastCommon = common;
    this.#timeUs = timeUs;
  }

  /** Emits one pixel's events while its log luminance goes from `from` to `to` in the interval ending at `timeUs`. */
  #firePixel(pixel: number, from: number, to: number, timeUs: number): void {
    const { width, refractoryUs } = this.#pixels;
    const rising = to > from;
    const polarity = rising ? 1 : 0;
    const durationUs = timeUs - this.#timeUs;
    const threshold = rising ? this.#upper : this.#lower;
    const x = pixel % width;
    const y = (pixel - x) / width;
    let earliestUs = this.#timeUs;
    while (rising ? threshold[pixel]! <= to : threshold[pixel]! >= to) {
      const crossing = threshold[pixel]!;
      const crossingUs = Math.max(earliestUs, this.#timeUs + ((crossing - from) / (to - from)) * durationUs);
      this.#emit(Math.floor(crossingUs), x, y, polarity);
      earliestUs = crossingUs + refractoryUs;
      if (earliestUs > timeUs) {
        // Silent until the reset ends; `#releaseHeld` then sets the remembered luminance.
        this.#held.push({ pixel, untilUs: earliestUs });
        this.#memorise(pixel, to);
        return;
      }
      const share = (earliestUs - this.#timeUs) / durationUs;
      this.#memorise(pixel, refractoryUs === 0 ? crossing : from + (to - from) * share);
    }
  }

  #memorise(pixel: number, level: number): void {
    this.#upper[pixel] = level + this.#pixels.onThreshold[pixel]!;
    this.#lower[pixel] = level - this.#pixels.offThreshold[pixel]!;
  }

  /** Sets pixels whose reset ends in the coming interval to the luminance at that moment, and keeps the others silent. */
  #releaseHeld(next: Float32Array, timeUs: number, common: number): void {
    if (this.#held.length === 0) return;
    const still: { pixel: number; untilUs: number }[] = [];
    for (const held of this.#held) {
      const to = next[held.pixel]! + common;
      if (held.untilUs > timeUs) {
        this.#memorise(held.pixel, to);
        still.push(held);
      } else {
        const from = this.#last[held.pixel]! + this.#lastCommon;
        const share = (held.untilUs - this.#timeUs) / (timeUs - this.#timeUs);
        this.#memorise(held.pixel, from + (to - from) * share);
      }
    }
    this.#held = still;
  }
}

interface NoiseOptions {
  readonly width: number;
  readonly height: number;
  readonly startUs: number;
  readonly endUs: number;
  /** Mean rate of one ordinary pixel, Hz, both polarities together. */
  readonly rateHz: number;
  /** Share of ON events: a pixel's reset leaks toward ON. */
  readonly onShare: number;
}

/**
 * Background activity: each pixel is its own Poisson process, drawn as one process at the whole array's rate with
 * every event on a random pixel, which is equivalent. It does not affect the pixels' memories.
 */
export function addBackgroundNoise(options: NoiseOptions, random: RandomStream, emit: EventSink): void {
  const { width, height, rateHz, onShare } = options;
  addPoissonEvents(options.startUs, options.endUs, rateHz * width * height, random, (tUs) => {
    emit(tUs, random.integer(width), random.integer(height), random.chance(onShare) ? 1 : 0);
  });
}

/** Hot pixels: `count` random pixels that fire ON events on their own, each at its own rate of 5 to 40 Hz. */
export function addHotPixels(
  options: Omit<NoiseOptions, 'rateHz' | 'onShare'>,
  count: number,
  random: RandomStream,
  emit: EventSink,
): void {
  for (let pixel = 0; pixel < count; pixel++) {
    const x = random.integer(options.width);
    const y = random.integer(options.height);
    const rateHz = random.between(5, 40);
    addPoissonEvents(options.startUs, options.endUs, rateHz, random, (tUs) => emit(tUs, x, y, 1));
  }
}

function addPoissonEvents(
  startUs: number,
  endUs: number,
  rateHz: number,
  random: RandomStream,
  at: (tUs: number) => void,
): void {
  if (rateHz <= 0) return;
  const meanGapUs = 1e6 / rateHz;
  for (let t = startUs + random.exponential() * meanGapUs; t < endUs; t += random.exponential() * meanGapUs) {
    at(Math.floor(t));
  }
}
