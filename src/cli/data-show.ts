import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { writeWholeFile } from '../checkpoints/whole-output.ts';
import { kindOfPath } from '../datasets/file-tree.ts';
import { findClip, readClip, readNamedImage } from '../datasets/find-clip.ts';
import { findDataset } from '../datasets/registry.ts';
import { ReproError } from '../errors.ts';
import { type ClipEvents, clipOfEvents } from '../events/clip-events.ts';
import type { Sensor } from '../events/events.ts';
import { decodeRecording } from '../events/recording.ts';
import type { ClipFrames } from '../formats/clip-examples.ts';
import { animation } from '../pictures/animation.ts';
import { contactSheet } from '../pictures/contact-sheet.ts';
import { type DataOptions, rootOf } from './data-root.ts';
import { printLines, printWarning } from './lines.ts';
import { printJson } from './load.ts';
import { formatBytes } from './view/format.ts';

interface ShowOptions extends DataOptions {
  readonly out?: string;
  readonly format: 'png' | 'gif';
  readonly steps: number;
  readonly splitBy: 'number' | 'time';
  readonly delay: number;
  readonly force?: boolean;
}

/** What is drawn. */
interface Shown {
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
/** The picture of simulated recordings says so, wherever it goes. */
const SIMULATED = 'SIMULATED';

/** `repro data show NAME CLIP`, or `repro data show FILE` */
export async function showClip(name: string, clip: string | undefined, options: ShowOptions): Promise<void> {
  checkOptions(options);
  const isFile = clip === undefined && (await kindOfPath(name)) === 'file';
  if (!isFile && looksLikeFile(name)) {
    throw new ReproError('recording-missing', 'no such file.', {
      where: name,
      fix: 'Name the file of a recording, or a data set and a clip: repro data show NAME CLIP.',
    });
  }
  const shown = isFile ? await showRecording(name, options) : await showFromDataset(name, clip, options);
  const { frames } = shown;
  const caption = shown.simulated ? { caption: SIMULATED } : {};
  const picture =
    options.format === 'gif'
      ? animation(frames, { delayMs: options.delay, ...caption })
      : contactSheet(frames, caption).png;
  const out = options.out ?? `${shown.name.replace(/[^A-Za-z0-9._-]+/g, '-')}.${options.format}`;
  await writeWholeFile(out, picture, options.force === true);
  if (options.json === true) {
    printJson({ version: 1, command: 'data show', ...shown.values, picture: path.resolve(out) });
    return;
  }
  printLines([...shown.facts, ['picture', `${out} (${formatBytes(picture.length)})`]]);
}

/** Otherwise these would only be noticed after everything has been read. */
function checkOptions({ steps, delay, format }: ShowOptions): void {
  if (steps > 1000) throw new ReproError('usage', `--steps ${steps}: at most 1000.`);
  if (format === 'gif' && (delay < 20 || delay > 60_000)) {
    throw new ReproError('usage', `--delay ${delay}: expected 20 to 60000 ms.`);
  }
}

/** No data set has a dot or a separator in its name. */
function looksLikeFile(name: string): boolean {
  return /[./\\]/.test(name);
}

async function showFromDataset(
  name: string,
  wanted: string | undefined,
  options: ShowOptions,
): Promise<Shown> {
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

async function showRecording(file: string, options: ShowOptions): Promise<Shown> {
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
  const first = events.tUs.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const last = events.tUs.reduce((a, b) => Math.max(a, b), 0);
  const span = clip.count === 0 ? { startUs: 0, endUs: 0 } : { startUs: first, endUs: last + 1 };
  return describeClip(path.basename(file), clip, span, sensor, options, {
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
  { steps, splitBy }: ShowOptions,
  known: Pick<Shown, 'facts' | 'values' | 'simulated'>,
): Shown {
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
