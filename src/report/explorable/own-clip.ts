import { ReproError } from '../../base/errors.ts';
import { eventsIn, spanOf } from '../../data/events/clips.ts';
import type { Events, Sensor } from '../../data/events/events.ts';
import { integrateFrames } from '../../data/events/frames.ts';
import { decodeRecording } from '../../data/events/recording.ts';
import { RandomStream } from '../../data/simulated/random-stream.ts';
import { CAMERA, filmScene, type SceneImage } from '../../data/simulated/recording.ts';
import { createImage, drawBackground, drawCapsule, findLight } from '../../data/simulated/scene.ts';
import { nameSensor } from '../../results/dataset-facts.ts';
import type { FrameSetting } from './payload.ts';

/*
 * Clips that the reader makes: a disc before the camera of the simulation, or a recording from a file.
 */

/** The sensor whose recordings become frames of this size. */
export function sensorOf({ height, width, downsample }: FrameSetting): Sensor {
  return { height: height * downsample, width: width * downsample };
}

/** A clip for the networks. */
export interface OwnClip {
  /** [T, 2, H, W], counted as the run does; in floats, which hold any count. */
  readonly frames: Float32Array;
  readonly events: number;
  readonly seconds: number;
  readonly warnings: readonly string[];
}

/** @param events at least one */
export function makeOwnClip(events: Events, layout: FrameSetting, warnings: readonly string[] = []): OwnClip {
  const counts = new Uint32Array(layout.steps * 2 * layout.height * layout.width);
  integrateFrames(events, { ...layout, sensor: sensorOf(layout) }, counts);
  const { length } = events.tUs;
  const seconds = Number(((events.tUs[length - 1]! - events.tUs[0]!) / 1e6).toPrecision(2));
  return { frames: Float32Array.from(counts), events: length, seconds, warnings };
}

/** Where the disc is at a time, in pixels of the camera: x to the right, y down. */
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

/** @returns what draws the disc before the background of simulated recordings: log luminance, [128, 128]; the same memory each time */
export function makeScene(): (x: number, y: number) => Float32Array {
  const background = createImage(CAMERA.width, CAMERA.height);
  const image = createImage(CAMERA.width, CAMERA.height);
  drawBackground(background, LIGHT.contrast, new RandomStream([...NAME, 'background']));
  return (x, y) => {
    image.level.set(background.level);
    drawCapsule(image, x, y, x, y, DISC.radius, DISC.surface);
    return image.level;
  };
}

/**
 * Films the disc. An image every `CAMERA.frameUs`, whose place lies on the straight line between two points of the path, so that the events do
 * not depend on how often the display refreshes.
 *
 * @param path two points or more, times increasing from 0
 */
export function filmPath(path: readonly PathPoint[]): Events {
  return filmScene(drawImages(path), { light: LIGHT, name: NAME, startUs: 0, endUs: path.at(-1)!.tUs });
}

function* drawImages(path: readonly PathPoint[]): Iterable<SceneImage> {
  const draw = makeScene();
  let next = 1;
  for (let tUs = 0; tUs <= path.at(-1)!.tUs; tUs += CAMERA.frameUs) {
    while (path[next]!.tUs < tUs) next += 1;
    const [from, to] = [path[next - 1]!, path[next]!];
    const share = (tUs - from.tUs) / (to.tUs - from.tUs);
    yield { tUs, level: draw(from.x + share * (to.x - from.x), from.y + share * (to.y - from.y)) };
  }
}

/**
 * Reads a recording: AEDAT 2.0, 3.1 or 4.0, a sample in the format of N-MNIST (`.bin`), as the simulated task of two time scales has, too, events
 * that Python wrote (`.npy`, `.npz`), or sound (`.wav`).
 *
 * @throws {ReproError} `own-sensor` for another sensor than the networks know; as the format's own reader
 */
export async function readRecording(
  bytes: Uint8Array,
  file: string,
  frames: FrameSetting,
): Promise<{ readonly events: Events; readonly warnings: readonly string[] }> {
  const expected = sensorOf(frames);
  const recording = await decodeRecording(bytes, file, expected, frames);
  const { sensor, format } = recording;
  if (sensor.height === expected.height && sensor.width === expected.width) return recording;
  throw new ReproError(
    'own-sensor',
    `the sensor has ${nameSensor(sensor, format === 'WAV')}; the networks of this page expect ${nameSensor(expected, frames.audio !== undefined)}. Recordings are not scaled: choose one that fits.`,
  );
}

/**
 * A part of a recording, in seconds from its first event, or from its start where frames begin there: times of the part then do, too.
 *
 * @throws {ReproError} `own-span` if there are no events in it
 */
export function cutRecording(
  events: Events,
  { startSeconds, lengthSeconds, frames }: Pick<RecordingTask, 'startSeconds' | 'lengthSeconds' | 'frames'>,
): Events {
  if (events.tUs.length === 0) throw new ReproError('own-span', 'this file has no events.');
  const whole = spanOf(events);
  const isFromFile = frames.from === 'file';
  const startUs = (isFromFile ? 0 : whole.startUs) + startSeconds * 1e6;
  const part = eventsIn(events, { startUs, endUs: startUs + lengthSeconds * 1e6 });
  if (part.tUs.length > 0) return isFromFile ? { ...part, tUs: part.tUs.map((tUs) => tUs - startUs) } : part;
  const seconds = ((whole.endUs - whole.startUs) / 1e6).toFixed(1);
  throw new ReproError(
    'own-span',
    `there are no events in this part of the recording, which lasts ${seconds} s. Let it start earlier, or take more of it.`,
  );
}

/** A part of a recording's file. */
export interface RecordingTask {
  readonly file: File;
  readonly frames: FrameSetting;
  readonly startSeconds: number;
  readonly lengthSeconds: number;
}

/** @throws {ReproError} as `readRecording` and `cutRecording` */
export async function readOwnClip(task: RecordingTask): Promise<OwnClip> {
  const bytes = new Uint8Array(await task.file.arrayBuffer());
  const { events, warnings } = await readRecording(bytes, task.file.name, task.frames);
  return makeOwnClip(cutRecording(events, task), task.frames, warnings);
}
