import { ReproError } from '../base/errors.ts';
import { readMat5 } from '../formats/mat5.ts';
import { DATA_SETS } from '../results/thesis/data-sets.ts';
import { showPath, thenRun } from './contract/how-to-get.ts';
import { type Events, makeEvents } from './events/events.ts';
import { ReaderNotes } from './events/reader-warnings.ts';
import type { SampleLayout } from './samples/layout.ts';
import { datasetOfSamples } from './samples/sample-dataset.ts';

const HOMEPAGE = 'https://github.com/PIX2NVS/NVS2Graph';
const USUAL_ROOT = 'data/ASL-DVS';

const LETTERS = DATA_SETS['asl-dvs'].classes;

export const ASL_DVS_LAYOUT: SampleLayout = {
  ...DATA_SETS['asl-dvs'],
  usualRoot: USUAL_ROOT,
  parts: LETTERS.map((letter) => ({ folder: letter, archive: `${letter}.zip`, md5: null })),
  sampleNames: '<letter>/<letter>_<number>.mat',
  largestSampleBytes: 64 << 20,
  // As in the original: numbers 1 to 3,360 of each class.
  trainShare: 0.8,
  parseName(path) {
    const match = /^([a-y])\/([a-y])_(\d+)\.mat$/.exec(path);
    const label = LETTERS.indexOf(match?.[1] ?? '');
    return label < 0 || match?.[1] !== match?.[2]
      ? null
      : { class: label, split: null, number: Number(match?.[3]) };
  },
  decode: decodeAslDvs,
  howToGet: (root) =>
    [
      'ASL-DVS is free for research. Download it by hand:',
      `  1. The folder at Dropbox that ${HOMEPAGE} links to is deleted. OpenI has a mirror:`,
      '     openi dataset download OpenI/ASLDVS',
      `  2. Unpack the ICCV2019_DVS_dataset.zip in it into ${showPath(root)}: it contains one zip for each letter, a.zip to y.zip without j.`,
      '     They are read in place; unpacked to a/ to y/, they are read faster.',
      ...thenRun('asl-dvs', root, USUAL_ROOT).map((line, i) => (i === 0 ? `  3. ${line}` : `  ${line}`)),
    ].join('\n'),
};

/**
 * Letters of the American sign language, shown by five people to a DAVIS240C.
 *
 * @see Bi et al. 2019, "Graph-based Object Classification for Neuromorphic Vision Sensing", ICCV
 */
export const ASL_DVS = datasetOfSamples(ASL_DVS_LAYOUT, {
  summary:
    '24 letters of the American sign language by five people, 4,200 samples each, seen by a DAVIS240C.',
  licence: 'none stated; free for research',
  citation:
    'Bi, Chadha, Abbas, Bourtsoulatze and Andreopoulos, Graph-based Object Classification for Neuromorphic Vision Sensing, ICCV 2019.',
  homepage: HOMEPAGE,
  files: [],
  remarks: [
    'It was published without a split. As in the original, the first 80 % of each class by number are for training: 1 to 3,360.',
    'The thesis’ script accepts it, but no published program has a network for it; docs/networks.md says what is trained here.',
    'The original would have sheared its frames (frames.rowStride: height).',
    'No checksum is published, since Dropbox packed each download anew: verify checks the structure of every file.',
  ],
});

const DAMAGED = 'The file is damaged or not part of ASL-DVS: download it again.';
const VARIABLES = ['ts', 'x', 'y', 'pol'] as const;
/** A recording lasts about 100 ms and has some 30,000 events, 1 MB as doubles; this is two hundred times as much. */
const LARGEST_BYTES = 2 ** 28;

/**
 * Reads one ASL-DVS recording: a MATLAB 5 file with the lists `ts` (time, µs), `x`, `y` and `pol` (polarity).
 *
 * As in the original, whose loader (SpikingJelly's, autumn 2020) takes the four lists as they are: x and y are not
 * mirrored, times are not shifted, and channel 0 is `pol` 0. Other loaders turn y around.
 *
 * @param file name for messages
 * @returns the events in file order, and a sentence for each accepted irregularity
 * @throws {ReproError} `asl-dvs-variable` if a list has another length than `ts`, or is not a list;
 *   `asl-dvs-event` for a pixel outside 240 x 180, a polarity other than 0 and 1, or a time that is not a whole number of
 *   µs >= 0; and what `readMat5` throws
 * @see Bi et al. 2019, "Graph-Based Object Classification for Neuromorphic Vision Sensing"
 */
export function decodeAslDvs(
  bytes: Uint8Array,
  file: string,
): { readonly events: Events; readonly warnings: readonly string[] } {
  const arrays = readMat5(bytes, file, VARIABLES, LARGEST_BYTES);
  const length = arrays.get('ts')!.data.length;
  const [ts, x, y, pol] = VARIABLES.map((name) => {
    const { shape, data } = arrays.get(name)!;
    // MATLAB's empty array is 0 x 0.
    const isList = data.length === 0 || shape.filter((size) => size !== 1).length <= 1;
    if (isList && data.length === length) return data;
    const what = isList
      ? `has ${data.length} numbers, but \`ts\` has ${length}: one of each belongs to an event`
      : `is ${shape.join(' x ')}, not a list`;
    throw new ReproError('asl-dvs-variable', `\`${name}\` ${what}.`, { where: file, fix: DAMAGED });
  }) as [Float64Array, Float64Array, Float64Array, Float64Array];
  const events = makeEvents(length);
  const { height, width } = DATA_SETS['asl-dvs'].sensor;
  const notes = new ReaderNotes(file);
  let previousUs = 0;
  for (let i = 0; i < length; i++) {
    const tUs = ts[i]!;
    const column = x[i]!;
    const row = y[i]!;
    const p = pol[i]!;
    events.tUs[i] = tUs;
    // Written first: a number that the array changes is not a whole number from 0 to 65,535.
    events.x[i] = column;
    events.y[i] = row;
    events.p[i] = p;
    if (!(tUs >= 0 && tUs <= Number.MAX_SAFE_INTEGER) || Math.floor(tUs) !== tUs) {
      failEvent(file, i, `has the time ${tUs}, which is not a whole number of µs >= 0`);
    }
    if (events.x[i] !== column || column >= width || events.y[i] !== row || row >= height) {
      failEvent(file, i, `is at x ${column}, y ${row}, outside the sensor's ${width} x ${height} pixels`);
    }
    if (events.p[i] !== p || p > 1) failEvent(file, i, `has the polarity ${p}, expected 0 or 1`);
    if (tUs < previousUs) notes.addBackwards(`event ${i}`);
    previousUs = tUs;
  }
  if (length === 0) notes.addBlank();
  return { events, warnings: notes.sentences() };
}

function failEvent(file: string, index: number, what: string): never {
  throw new ReproError('asl-dvs-event', `event ${index} ${what}.`, {
    where: file,
    fix: DAMAGED,
  });
}
