import type { EventSink } from '../../events/events.ts';
import type { RandomStream } from './random-stream.ts';

export interface NoiseOptions {
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
