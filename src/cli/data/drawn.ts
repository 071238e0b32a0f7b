import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { findClip, readClip, readNamedImage } from '../../datasets/find-clip.ts';
import { findDataset } from '../../datasets/registry.ts';
import { ReproError } from '../../errors.ts';
import { spanOf } from '../../events/clips.ts';
import type { Sensor } from '../../events/events.ts';
import { type ClipEvents, clipOfEvents } from '../../events/frames.ts';
import { decodeRecording } from '../../events/recording.ts';
import type { ClipFrames } from '../../results/clip-examples.ts';
import { formatBytes } from '../../text.ts';
import { printWarning } from '../lines.ts';
import { type DataOptions, rootOf } from './root.ts';

/** How a clip is drawn, as far as its frames are concerned. */
export interface DrawOptions extends DataOptions {
  readonly format?: 'png' | 'gif';
  readonly steps: number;
  readonly splitBy: 'number' | 'time';
}

/** What is drawn. */
export interface Drawn {
  /** Also the picture's file name, without folder and ending. */
  readonly name: string;
  readonly frames: ClipFrames;
  readonly simulated: boolean;
  /** What is printed about it. */
  readonly facts: readonly (readonly [string, string])[];
  readonly values: Readonly<Record<string, unknown>>;
}

/** A recording is read whole, which Node does up to this size: 13 bytes per event come on top. */
const LARGEST_RECORDING_BYTES = 2 ** 31 - 1;
/** Counts of a clip's frames: 1 GB, a sheet of a hundred steps of a megapixel camera. */
const LARGEST_COUNTS = 2 ** 28;
/** A clip or an image of a data set. */
export async function drawFromDataset(
  name: string,
  wanted: string | undefined,
  options: DrawOptions,
): Promise<Drawn> {
  const dataset = findDataset(name);
  if (wanted === undefined) {
    throw new ReproError('usage', 'a clip is missing.', {
      fix:
        dataset.kind === 'images'
          ? `Images are train/0, train/1, … and test/0, test/1, …: repro data show ${name} test/0`
          : `Name a recording of ${dataset.title}; for the nth clip of a recording with several, add :n.`,
    });
  }
  const root = rootOf(dataset, options);
  const simulated = dataset.kind === 'events' && (await dataset.isSimulated?.(root)) === true;
  const reading = { simulated };
  if (dataset.kind === 'images') {
    if (options.format === 'gif') {
      throw new ReproError('usage', 'a still image cannot be animated.', { fix: 'Leave out --format gif.' });
    }
    const image = await readNamedImage(dataset, root, wanted, reading);
    const { channels, height, width } = dataset.image;
    const label = dataset.classes[image.class] ?? '';
    return {
      name: `${name}-${wanted}`,
      simulated,
      frames: { shape: [1, channels, height, width], data: Uint8Array.from(image.pixels) },
      facts: [
        ['image', `${dataset.title}, ${wanted}`],
        ['class', label],
      ],
      values: { dataset: name, clip: wanted, class: label },
    };
  }
  const found = await findClip(dataset, root, wanted, reading);
  const label = dataset.classes[found.clip.class] ?? '';
  return readClip(dataset, root, found, reading, (events, span) =>
    describeClip(found.name, events, span, dataset.sensor, options, {
      simulated,
      facts: [
        ['clip', `${dataset.title}, ${found.name}`],
        ...(simulated ? [['simulated', 'no camera, no people'] as const] : []),
        ['class', label],
        ...(found.clip.user === null ? [] : [['user', `${found.clip.user}, ${found.clip.light}`] as const]),
      ],
      values: {
        dataset: name,
        simulated,
        clip: found.name,
        split: found.split,
        class: label,
        user: found.clip.user,
        light: found.clip.light,
      },
    }),
  );
}

/** A whole recording outside any data set. */
export async function drawRecording(file: string, options: DrawOptions): Promise<Drawn> {
  const { size } = await stat(file);
  if (size > LARGEST_RECORDING_BYTES) {
    throw new ReproError('recording-size', `${formatBytes(size)} is more than can be shown at once.`, {
      where: file,
      fix: `At most ${formatBytes(LARGEST_RECORDING_BYTES)}: cut the recording into parts.`,
    });
  }
  const { events, sensor, format, warnings } = await decodeRecording(
    await readFile(file),
    path.basename(file),
  );
  for (const warning of warnings) printWarning(warning);
  const clip = clipOfEvents(events);
  return describeClip(path.basename(file), clip, spanOf(events), sensor, options, {
    simulated: false,
    facts: [['recording', `${file}, ${format}, ${sensor.width} x ${sensor.height} pixels`]],
    values: { recording: path.resolve(file), format, sensor },
  });
}

function describeClip(
  name: string,
  events: ClipEvents,
  { startUs, endUs }: { readonly startUs: number; readonly endUs: number },
  sensor: Sensor,
  { steps, splitBy }: DrawOptions,
  known: Pick<Drawn, 'facts' | 'values' | 'simulated'>,
): Drawn {
  const shape = [steps, 2, sensor.height, sensor.width];
  const counts = shape.reduce((a, b) => a * b, 1);
  if (counts > LARGEST_COUNTS) {
    const most = Math.floor(LARGEST_COUNTS / (2 * sensor.height * sensor.width));
    throw new ReproError(
      'recording-size',
      `${steps} frames of ${sensor.width} x ${sensor.height} pixels are too many.`,
      {
        where: name,
        fix:
          most > 0
            ? `Use at most --steps ${most}.`
            : 'No camera has so many pixels: an event is far outside, so the file is probably damaged.',
      },
    );
  }
  const data = new Uint32Array(counts);
  events.integrate({ steps, splitBy, sensor, downsample: 1 }, data);
  const seconds = (endUs - startUs) / 1e6;
  const rate = seconds > 0 ? events.count / seconds : 0;
  return {
    name,
    simulated: known.simulated,
    frames: { shape, data },
    facts: [
      ...known.facts,
      ['time', `${seconds.toFixed(3)} s`],
      [
        'events',
        `${events.count.toLocaleString('en-US')}, ${Math.round(rate).toLocaleString('en-US')} per second`,
      ],
      ['frames', `${steps}, split by ${splitBy}`],
    ],
    values: {
      ...known.values,
      startUs,
      endUs,
      events: events.count,
      eventsPerSecond: rate,
      frames: { steps, splitBy },
    },
  };
}
