import { type Person, type Pose, REST, reach, samplePerson } from '../datasets/simulated/person.ts';
import { RandomStream } from '../datasets/simulated/random-stream.ts';
import { CAMERA, filmScene, type SceneImage } from '../datasets/simulated/recording.ts';
import {
  createImage,
  drawBackground,
  drawCapsule,
  drawPerson,
  findLight,
} from '../datasets/simulated/scene.ts';
import type { Events } from '../events/events.ts';

/** What the reader moves before the simulated camera. */
export type Moved = 'disc' | 'right arm' | 'left arm';

/** Where the disc, or the hand, is at a time, in pixels of the camera: x to the right, y down. */
export interface PathPoint {
  /** From 0. */
  readonly tUs: number;
  readonly x: number;
  readonly y: number;
}

/** The one with the least noise: a small disc makes few events. */
const LIGHT = findLight('natural');
const NAME = ['own clip'];
/** As the hands of simulated people have; brighter than the wall by as much as theirs, at most. */
const DISC = { radius: 5, surface: { level: 0.75 * LIGHT.contrast, rim: 0.3 * LIGHT.contrast } };

/** The disc or the person before the background of simulated recordings. */
export class OwnScene {
  readonly #background = createImage(CAMERA.width, CAMERA.height);
  readonly #image = createImage(CAMERA.width, CAMERA.height);
  readonly #person: Person = samplePerson(1, 1);
  readonly #moved: Moved;
  /** The level of each pixel at its last event; before the first, as it was first watched. */
  #levels: Float32Array | null = null;

  constructor(moved: Moved) {
    this.#moved = moved;
    drawBackground(this.#background, LIGHT.contrast, new RandomStream([...NAME, 'background']));
  }

  /** @returns log luminance, [128, 128]; the same memory each time */
  render(x: number, y: number): Float32Array {
    const image = this.#image;
    image.level.set(this.#background.level);
    if (this.#moved === 'disc') drawCapsule(image, x, y, x, y, DISC.radius, DISC.surface);
    else drawPerson(image, this.#person, this.#pose(x, y), LIGHT.contrast);
    return image.level;
  }

  /**
   * Renders, and finds the events that the camera would see without its noise: 1 where a pixel has become brighter by a threshold since its
   * last event, −1 darker.
   */
  watch(x: number, y: number): { readonly picture: Float32Array; readonly events: Int8Array } {
    const picture = this.render(x, y);
    this.#levels ??= picture.slice();
    const levels = this.#levels;
    const events = Int8Array.from(picture, (level, i) => {
      const change = level - levels[i]!;
      return Number(change > CAMERA.onThreshold) - Number(change < -CAMERA.offThreshold);
    });
    for (const [i, event] of events.entries()) if (event !== 0) levels[i] = picture[i]!;
    return { picture, events };
  }

  /** The hand is where the pointer is, or as near as the arm reaches; the elbow bends as when the people wave or circle. */
  #pose(x: number, y: number): Pose {
    const person = this.#person;
    const body = { x: 0, y: 0 };
    const armOf = (side: 'right' | 'left') => {
      if (this.#moved !== `${side} arm`) return reach(person, side, body, REST);
      const { shoulder } = reach(person, side, body, REST);
      const unit = person.upperArm + person.forearm;
      const u = ((side === 'right' ? -1 : 1) * (x - shoulder.x)) / unit;
      return reach(person, side, body, { u, v: (shoulder.y - y) / unit, bend: 'below', depth: 1 });
    };
    return { body, right: armOf('right'), left: armOf('left') };
  }
}

/**
 * Films what the reader moved. An image every `CAMERA.frameUs`, whose place lies on the straight line between two points of the path, so that the
 * events do not depend on how often the display refreshes.
 *
 * @param path two points or more, times increasing from 0
 */
export function filmPath(path: readonly PathPoint[], moved: Moved): Events {
  const endUs = path.at(-1)!.tUs;
  return filmScene(renderPath(path, new OwnScene(moved)), { light: LIGHT, name: NAME, startUs: 0, endUs });
}

function* renderPath(path: readonly PathPoint[], scene: OwnScene): Iterable<SceneImage> {
  let next = 1;
  for (let tUs = 0; tUs <= path.at(-1)!.tUs; tUs += CAMERA.frameUs) {
    while (path[next]!.tUs < tUs) next += 1;
    const [from, to] = [path[next - 1]!, path[next]!];
    const share = (tUs - from.tUs) / (to.tUs - from.tUs);
    yield { tUs, level: scene.render(from.x + share * (to.x - from.x), from.y + share * (to.y - from.y)) };
  }
}

/** Films images of anything else, such as a webcam's. @param images two or more, in the order of time from 0 */
export function filmImages(images: readonly SceneImage[]): Events {
  return filmScene(images, { light: LIGHT, name: NAME, startUs: 0, endUs: images.at(-1)!.tUs });
}

/** Log luminance of a picture [R, G, B, A] of 8 bits; the offset keeps the noise of dark pixels from making events. */
export function logLuminance(pixels: Uint8ClampedArray): Float32Array {
  return Float32Array.from({ length: pixels.length / 4 }, (_, i) => {
    const [red, green, blue] = [pixels[4 * i]!, pixels[4 * i + 1]!, pixels[4 * i + 2]!];
    return Math.log(24 + 0.299 * red + 0.587 * green + 0.114 * blue);
  });
}
