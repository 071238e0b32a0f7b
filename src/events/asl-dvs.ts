import { ReproError } from '../errors.ts';
import { DATA_SETS } from '../thesis/data-sets.ts';
import type { Events, Sensor } from './events.ts';
import { type MatArray, readMat5 } from './mat5.ts';

/** The DAVIS 240C with which ASL-DVS was recorded. */
export const ASL_DVS_SENSOR = DATA_SETS['asl-dvs'].sensor;

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
 * @throws {ReproError} `asl-dvs-variable` if a list is missing its place in the others' length or is no list;
 *   `asl-dvs-event` for a pixel outside 240 x 180, another polarity than 0 and 1, or a time that is no whole number of
 *   µs >= 0; and what `readMat5` throws
 * @see Bi et al. 2019, "Graph-Based Object Classification for Neuromorphic Vision Sensing"
 */
export function decodeAslDvs(
  bytes: Uint8Array,
  file: string,
): { readonly events: Events; readonly warnings: readonly string[] } {
  const arrays = readMat5(bytes, file, VARIABLES, LARGEST_BYTES);
  const [ts, x, y, pol] = [
    readList(arrays, 'ts', file),
    readList(arrays, 'x', file),
    readList(arrays, 'y', file),
    readList(arrays, 'pol', file),
  ];
  const length = ts.length;
  for (const [name, list] of [
    ['x', x],
    ['y', y],
    ['pol', pol],
  ] as const) {
    if (list.length === length) continue;
    throw new ReproError(
      'asl-dvs-variable',
      `\`${name}\` has ${list.length} numbers, but \`ts\` has ${length}: one of each belongs to an event.`,
      { where: file, fix: 'The file is damaged or not part of ASL-DVS: download it again.' },
    );
  }
  const events = {
    tUs: new Float64Array(length),
    x: new Uint16Array(length),
    y: new Uint16Array(length),
    p: new Uint8Array(length),
  };
  const { height, width } = ASL_DVS_SENSOR;
  let backwards = 0;
  let firstBackwards = 0;
  let previousUs = 0;
  for (let i = 0; i < length; i++) {
    const tUs = ts[i]!;
    const column = x[i]!;
    const row = y[i]!;
    const p = pol[i]!;
    events.tUs[i] = tUs;
    // Written first: what the array does not keep is no whole number from 0 to 65,535.
    events.x[i] = column;
    events.y[i] = row;
    events.p[i] = p;
    if (!(tUs >= 0 && tUs <= Number.MAX_SAFE_INTEGER) || Math.floor(tUs) !== tUs) {
      failEvent(file, i, `has the time ${tUs}, no whole number of µs >= 0`);
    }
    if (events.x[i] !== column || column >= width || events.y[i] !== row || row >= height) {
      failEvent(file, i, `is at x ${column}, y ${row}, outside the sensor's ${width} x ${height} pixels`);
    }
    if (events.p[i] !== p || p > 1) failEvent(file, i, `has the polarity ${p}, neither 0 nor 1`);
    if (tUs < previousUs && backwards++ === 0) firstBackwards = i;
    previousUs = tUs;
  }
  const warnings: string[] = [];
  if (length === 0) warnings.push(`${file}  contains no events: its clip is blank.`);
  if (backwards > 0) {
    const often = backwards === 1 ? '' : ` (the first of ${backwards.toLocaleString('en-US')} such places)`;
    warnings.push(`${file}: event ${firstBackwards}  goes back in time${often}.`);
  }
  return { events, warnings };
}

/**
 * Moves events to the pixels to which the original's converter counts them: it takes y · height + x for a pixel's position in a frame, as if
 * a row had as many pixels as the sensor has rows. On a square sensor that is right. On 240 x 180 pixels, each row begins 60 pixels too
 * early: the picture is sheared, its rows overlap, and the last 44 stay empty.
 */
export function shearEvents(events: Events, { height, width }: Sensor): Events {
  const positions = Uint32Array.from(events.x, (x, i) => events.y[i]! * height + x);
  return {
    ...events,
    x: Uint16Array.from(positions, (position) => position % width),
    y: Uint16Array.from(positions, (position) => Math.floor(position / width)),
  };
}

/** The numbers of a variable that is a list. A 64-bit integer beyond 2^53 is rounded, and then is no whole number of µs. */
function readList(
  arrays: ReadonlyMap<string, MatArray>,
  name: (typeof VARIABLES)[number],
  file: string,
): Float64Array {
  const { shape, data } = arrays.get(name)!;
  if (shape.filter((size) => size !== 1).length > 1) {
    // MATLAB's empty array is 0 x 0.
    if (data.length === 0) return new Float64Array(0);
    throw new ReproError('asl-dvs-variable', `\`${name}\` is ${shape.join(' x ')}, not a list.`, {
      where: file,
      fix: 'The file is not part of ASL-DVS: download it again.',
    });
  }
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) return Float64Array.from(data, Number);
  return new Float64Array(data);
}

function failEvent(file: string, index: number, what: string): never {
  throw new ReproError('asl-dvs-event', `event ${index} ${what}.`, {
    where: file,
    fix: 'The file is damaged or not part of ASL-DVS: download it again.',
  });
}
