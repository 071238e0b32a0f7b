import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { hasErrorCode, ReproError } from '../../base/errors.ts';
import { requireEnding, writeOutput } from '../../base/files/chosen-file.ts';
import { formatBytes } from '../../base/text.ts';
import { spanOf } from '../../data/events/clips.ts';
import type { Sensor } from '../../data/events/events.ts';
import { type ClipEvents, clipOfEvents } from '../../data/events/frames.ts';
import { decodeRecording } from '../../data/events/recording.ts';
import { findClip, readClip, readNamedImage } from '../../data/find-clip.ts';
import { kindOfSource } from '../../data/reading/file-tree.ts';
import { turnRow } from '../../report/pictures/clip.ts';
import { contactSheet } from '../../report/pictures/contact-sheet.ts';
import type { ClipFrames } from '../../results/clip-examples.ts';
import { nameSensor } from '../../results/dataset-facts.ts';
import { alignTopics, printResult, printWarning } from '../view/print.ts';
import { type DataOptions, placeDataset, withData } from './data.ts';

interface ShowOptions extends DataOptions {
  readonly steps?: number;
  readonly splitBy: 'number' | 'time';
  readonly out?: string;
  readonly force?: boolean;
}

/** What is drawn. */
interface Drawn {
  /** Also the picture's file name, without folder and ending. */
  readonly name: string;
  readonly frames: ClipFrames;
  readonly simulated: boolean;
  /** What is printed about it. */
  readonly facts: readonly (readonly [string, string])[];
  readonly values: Readonly<Record<string, unknown>>;
}

/** The picture of simulated recordings says so, wherever it goes. */
const SIMULATED = 'SIMULATED';

/**
 * `repro data show NAME CLIP`, or `repro data show FILE`: draws a clip, or a whole recording, to a file.
 *
 * @param name of a data set, or the path of a recording
 */
export async function showClip(name: string, clip: string | undefined, options: ShowOptions): Promise<void> {
  if (options.out !== undefined) requireEnding(options.out, 'png', 'Change the name: --out NAME.png');
  const found = await kindOfSource(name);
  const isFile = clip === undefined && found === 'file';
  // No data set has a dot or a separator in its name.
  if (!isFile && /[./\\]/.test(name)) {
    const [problem, fix] =
      found === 'file'
        ? [
            'the file of a recording has no clips to choose from.',
            `Show all of it: ./repro data show ${name}`,
          ]
        : [
            found === 'folder' ? 'this is a folder.' : 'no such file.',
            'Name the file of a recording, or a data set and a clip: ./repro data show NAME CLIP.',
          ];
    throw new ReproError('recording-missing', problem, { where: name, fix });
  }
  const shown = isFile
    ? await drawRecording(name, options)
    : await withData(() => drawFromDataset(name, clip, options));
  const { facts, values } = shown;
  const picture = contactSheet(turnRow(shown.frames), shown.simulated ? { caption: SIMULATED } : {}).png;
  const out = options.out ?? `${shown.name.replace(/[^A-Za-z0-9._-]+/g, '-')}.png`;
  await writeOutput(out, picture, options.force === true);
  printResult(options, 'data show', { ...values, picture: path.resolve(out) }, () =>
    alignTopics([...facts, ['picture', `${out} (${formatBytes(picture.length)})`]]),
  );
}

/** Counts of a clip's frames: 1 GB, a sheet of a hundred steps of a megapixel camera. */
const LARGEST_COUNTS = 2 ** 28;

/** A clip or an image of a data set. */
async function drawFromDataset(
  name: string,
  wanted: string | undefined,
  options: ShowOptions,
): Promise<Drawn> {
  const { dataset, root } = await placeDataset(name, options);
  if (wanted === undefined) {
    throw new ReproError('usage', 'a clip is missing.', {
      fix:
        dataset.kind === 'images'
          ? `Images are train/0, train/1, … and test/0, test/1, …: ./repro data show ${name} test/0`
          : `Name a recording of ${dataset.facts.title}; for the nth clip of a recording with several, add :n.`,
    });
  }
  const simulated = dataset.kind === 'events' && (await dataset.isSimulated?.(root)) === true;
  const reading = { simulated };
  if (dataset.kind === 'images') {
    const image = await readNamedImage(dataset, root, wanted, reading);
    const { channels, height, width } = dataset.facts.image;
    const label = dataset.facts.classes[image.class] ?? '';
    return {
      name: `${name}-${wanted}`,
      simulated,
      frames: { shape: [1, channels, height, width], data: Uint8Array.from(image.pixels) },
      facts: [
        ['image', `${dataset.facts.title}, ${wanted}`],
        ['class', label],
      ],
      values: { dataset: name, clip: wanted, class: label },
    };
  }
  const found = await findClip(dataset, root, wanted, reading);
  const label = dataset.facts.classes[found.clip.class] ?? '';
  const { user, light } = found.clip;
  return readClip(dataset, root, found, reading, (events, span) =>
    describeClip(found.name, events, span, dataset.facts.sensor, options, {
      simulated,
      facts: [
        ['clip', `${dataset.facts.title}, ${found.name}`],
        ...(simulated ? [['simulated', 'no camera, no people'] as const] : []),
        ['class', label],
        ...(user === null ? [] : [['user', light === null ? `${user}` : `${user}, ${light}`] as const]),
      ],
      values: {
        dataset: name,
        simulated,
        clip: found.name,
        split: found.split,
        class: label,
        user,
        light,
      },
    }),
  );
}

/** A whole recording outside any data set. */
async function drawRecording(file: string, options: ShowOptions): Promise<Drawn> {
  const bytes = await readFile(file).catch((cause: unknown) => {
    if (!hasErrorCode(cause, 'ERR_FS_FILE_TOO_LARGE')) throw cause;
    const fix = 'Cut the recording into parts.';
    throw new ReproError('recording-size', 'only up to 2 GiB can be read at once.', {
      where: file,
      fix,
      cause,
    });
  });
  const { events, sensor, format, warnings } = await decodeRecording(bytes, path.basename(file));
  for (const warning of warnings) printWarning(warning);
  const clip = clipOfEvents(events);
  return describeClip(path.basename(file), clip, spanOf(events), sensor, options, {
    simulated: false,
    facts: [['recording', `${file}, ${format}, ${nameSensor(sensor, format === 'WAV')}`]],
    values: { recording: path.resolve(file), format, sensor },
  });
}

function describeClip(
  name: string,
  events: ClipEvents,
  { startUs, endUs }: { readonly startUs: number; readonly endUs: number },
  sensor: Sensor,
  { splitBy, ...options }: ShowOptions,
  known: Pick<Drawn, 'facts' | 'values' | 'simulated'>,
): Drawn {
  // Each frame of a sensor with one row is a column of the picture.
  const { steps = sensor.height === 1 ? 100 : 20 } = options;
  const shape = [steps, 2, sensor.height, sensor.width];
  const counts = shape.reduce((a, b) => a * b, 1);
  if (counts > LARGEST_COUNTS) {
    const problem = `${steps} frames of ${sensor.width} x ${sensor.height} pixels are too many.`;
    const fix = 'Use fewer --steps. If no camera has so many pixels, the file is damaged.';
    throw new ReproError('recording-size', problem, { where: name, fix });
  }
  const data = new Uint32Array(counts);
  events.integrate({ steps, splitBy, sensor, downsample: 1 }, data);
  const seconds = (endUs - startUs) / 1e6;
  const rate = seconds > 0 ? events.count / seconds : 0;
  const format = (count: number): string => count.toLocaleString('en-US');
  return {
    name,
    simulated: known.simulated,
    frames: { shape, data },
    facts: [
      ...known.facts,
      ['time', `${seconds.toFixed(3)} s`],
      ['events', `${format(events.count)}, ${format(Math.round(rate))} per second`],
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
