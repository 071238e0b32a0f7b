import { sineOfTurns } from '../../base/portable-math.ts';
import { EventBuffer, type Events } from '../events/events.ts';
import type { Label } from '../events/labels.ts';
import { samplePerson } from './person.ts';
import { RandomStream } from './random-stream.ts';
import { createImage, drawBackground, drawPerson, findLight, type Light } from './scene.ts';
import { addBackgroundNoise, addHotPixels, type PixelArray, VisionSensor } from './sensor.ts';
import { planTimeline } from './timeline.ts';

/** The simulated camera, the same in every recording. */
export const CAMERA = {
  width: 128,
  height: 128,
  /** Mean thresholds, log luminance. */
  onThreshold: 0.32,
  offThreshold: 0.3,
  refractoryUs: 1000,
  /** Time between rendered images: hands move by less than a pixel, and flicker of 100 Hz stays below half this rate. */
  frameUs: 4000,
  hotPixels: 6,
  noiseOnShare: 0.7,
} as const;

interface RecordingOptions {
  readonly seed: number;
  /** Number of the person, 1 to 99. */
  readonly user: number;
  /** One of DVS128 Gesture's five lights. */
  readonly light: string;
  readonly gestureSeconds: number;
  /** Divides the camera's thresholds; 1 if left out. At 4 there are about as many events as in recordings of people. */
  readonly sensitivity?: number;
}

export interface SimulatedRecording {
  readonly events: Events;
  /** Twelve rows in time order. */
  readonly labels: readonly Label[];
  readonly startUs: number;
  readonly endUs: number;
}

/**
 * Simulates one recording: a person in front of a camera makes the twelve gestures of a DVS128 Gesture recording.
 * Depends only on its options: person, performance, scene and noise come from streams named by seed, user and light.
 *
 * @throws {ReproError} `simulate-options` for an unknown light
 */
export function simulateRecording(options: RecordingOptions): SimulatedRecording {
  const { seed, user } = options;
  const light = findLight(options.light);
  const name = [seed, 'recording', user, light.name];
  const person = samplePerson(seed, user);
  const timeline = planTimeline(person, name, options.gestureSeconds);

  const background = createImage(CAMERA.width, CAMERA.height);
  drawBackground(background, light.contrast, new RandomStream([...name, 'background']));
  const image = createImage(CAMERA.width, CAMERA.height);
  const render = (tUs: number) => {
    image.level.set(background.level);
    drawPerson(image, person, timeline.poseAt(tUs), light.contrast);
    return image.level;
  };

  const { startUs, endUs } = timeline;
  const images = function* (): Iterable<SceneImage> {
    for (let tUs = startUs; tUs < endUs; tUs += CAMERA.frameUs) yield { tUs, level: render(tUs) };
  };
  const events = filmScene(images(), { light, name, startUs, endUs, sensitivity: options.sensitivity ?? 1 });
  return { events, labels: timeline.labels, startUs, endUs };
}

/** What is before the camera at one moment: log luminance of every pixel, row by row. */
export interface SceneImage {
  readonly tUs: number;
  readonly level: Float32Array;
}

/**
 * Films a scene: the events of the pixels, whose thresholds scatter and whose light flickers, with background noise and hot pixels.
 *
 * @param images in the order of time, the first at `startUs`; luminance is linear in between
 * @param options.name of the streams of random numbers
 */
export function filmScene(
  images: Iterable<SceneImage>,
  options: {
    readonly light: Light;
    readonly name: readonly (string | number)[];
    readonly startUs: number;
    readonly endUs: number;
    readonly sensitivity?: number;
  },
): Events {
  const { light, name, startUs, endUs, sensitivity = 1 } = options;
  const keys = new EventKeys();
  const emit = keys.push.bind(keys);
  const pixels = makePixels(light, sensitivity, new RandomStream([...name, 'pixels']));
  let sensor: VisionSensor | null = null;
  for (const { tUs, level } of images) {
    if (sensor === null) sensor = new VisionSensor(pixels, level, tUs, emit, flickerAt(light, tUs));
    else sensor.advance(level, tUs, flickerAt(light, tUs));
  }
  const noise = { width: CAMERA.width, height: CAMERA.height, startUs, endUs };
  addBackgroundNoise(
    { ...noise, rateHz: light.noiseHz, onShare: CAMERA.noiseOnShare },
    new RandomStream([...name, 'noise']),
    emit,
  );
  addHotPixels(noise, CAMERA.hotPixels, new RandomStream([...name, 'hot pixels']), emit);
  return keys.sorted();
}

/** Pixels whose thresholds scatter about the mean by the light's mismatch, but never below half the mean. */
function makePixels(light: Light, sensitivity: number, random: RandomStream): PixelArray {
  const { width, height, refractoryUs } = CAMERA;
  const scatter = (mean: number) =>
    Float32Array.from({ length: width * height }, () =>
      Math.max(0.5 * mean, mean * (1 + light.mismatch * random.normal())),
    );
  return {
    width,
    height,
    refractoryUs,
    onThreshold: scatter(CAMERA.onThreshold / sensitivity),
    offThreshold: scatter(CAMERA.offThreshold / sensitivity),
  };
}

function flickerAt(light: Light, tUs: number): number {
  return light.flicker === 0 ? 0 : light.flicker * sineOfTurns((light.flickerHz * tUs) / 1e6);
}

/** Coordinates below 128 take 7 bits each and the polarity one: a key is `time · 2^15 + y · 2^8 + x · 2 + polarity`. */
const POSITION_VALUES = 2 ** 15;
const LARGEST_COORDINATE = 127;

/**
 * Collects events in any order and returns them by time, and within a microsecond by row, column and polarity.
 * An event is one number, exact below 2^53: sorting numbers is fast and leaves no ties.
 */
export class EventKeys {
  #keys = new Float64Array(1 << 16);
  #length = 0;

  /** @param tUs time, whole µs >= 0; x and y are below 128, p is 0 or 1 */
  push(tUs: number, x: number, y: number, p: number): void {
    if (this.#length === this.#keys.length) {
      const grown = new Float64Array(this.#keys.length * 2);
      grown.set(this.#keys);
      this.#keys = grown;
    }
    this.#keys[this.#length++] = tUs * POSITION_VALUES + ((y << 8) | (x << 1) | p);
  }

  sorted(): Events {
    const keys = this.#keys.slice(0, this.#length).sort();
    const events = new EventBuffer(keys.length);
    for (const key of keys) {
      const tUs = Math.floor(key / POSITION_VALUES);
      const position = key - tUs * POSITION_VALUES;
      events.push(tUs, (position >> 1) & LARGEST_COORDINATE, position >> 8, position & 1);
    }
    return events.events();
  }
}
