import { ReproError } from '../errors.ts';
import { eventsIn, spanOf } from '../events/clips.ts';
import type { Events, Sensor } from '../events/events.ts';
import { integrateFrames } from '../events/frames.ts';
import { decodeNmnist } from '../events/nmnist-events.ts';
import { decodeRecording } from '../events/recording.ts';
import type { FrameSetting, Payload } from './payload.ts';

/** The sensor whose recordings become frames of this size. */
export function sensorOf({ height, width, downsample }: FrameSetting): Sensor {
  return { height: height * downsample, width: width * downsample };
}

/** The frames of one clip, [T, 2, H, W], counted as the run does; in floats, which hold any count. */
export function framesOf(events: Events, setting: FrameSetting): Float32Array {
  const counts = new Uint32Array(setting.steps * 2 * setting.height * setting.width);
  integrateFrames(events, { ...setting, sensor: sensorOf(setting) }, counts);
  return Float32Array.from(counts);
}

/**
 * Reads a recording: AEDAT 2.0, 3.1 or 4.0, or a sample in the format of N-MNIST (`.bin`). A sensor smaller than the one that the networks
 * know is taken for its top left corner.
 *
 * @throws {ReproError} `own-sensor` for a larger one; as the format's own reader
 */
export async function readOwnRecording(
  bytes: Uint8Array,
  file: string,
  { dataset, frames }: Pick<Payload, 'dataset' | 'frames'>,
): Promise<{ readonly events: Events; readonly format: string; readonly warnings: readonly string[] }> {
  const sensor = sensorOf(frames);
  if (file.endsWith('.bin'))
    return { ...decodeNmnist(bytes, file, { title: dataset, sensor }), format: 'N-MNIST' };
  const recording = await decodeRecording(bytes, file);
  const { height, width } = recording.sensor;
  if (height <= sensor.height && width <= sensor.width) return recording;
  const expected = `the networks of this page expect ${sensor.width} x ${sensor.height}`;
  throw new ReproError('own-sensor', `the sensor has ${width} x ${height} pixels; ${expected}.`, {
    where: file,
    fix: 'Choose a recording of such a camera.',
  });
}

/**
 * A part of a recording, in seconds from its first event.
 *
 * @throws {ReproError} `own-span` if there are no events in it
 */
export function cutRecording(events: Events, startSeconds: number, lengthSeconds: number): Events {
  const whole = spanOf(events);
  const startUs = whole.startUs + startSeconds * 1e6;
  const part = eventsIn(events, { startUs, endUs: startUs + lengthSeconds * 1e6 });
  if (part.tUs.length > 0) return part;
  const seconds = ((whole.endUs - whole.startUs) / 1e6).toFixed(1);
  const text = `there are no events in this part of the recording, which lasts ${seconds} s.`;
  throw new ReproError('own-span', text, { fix: 'Let it start earlier, or take more of it.' });
}
