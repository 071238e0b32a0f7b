import { ReproError } from '../errors.ts';
import { type Aedat2Address, CIFAR10_DVS_ADDRESS } from './aedat2-address.ts';
import { readAedat2Header } from './aedat2-header.ts';
import { type Events, type Sensor, sliceEvents } from './events.ts';

const EVENT_BYTES = 8;
const CLOCK_PERIOD_US = 2 ** 32;
/** With more, a double could not hold every time exactly (2^21 periods of 2^32 µs are 2^53 µs, 285 years). */
const LARGEST_OVERFLOW = 2 ** 21 - 1;

/**
 * Reads an AEDAT 2.0 recording: lines that start with `#`, then 8 bytes per event, big-endian: address (u32), time
 * (u32, µs).
 *
 * The time is read as unsigned, as the original does; to the camera it is a signed number that becomes negative after
 * 2^31 µs (36 minutes), which unsigned is no jump at all. After 2^32 µs (72 minutes) it starts again at 0: where a time
 * is more than 2^31 µs below the one before it, 2^32 µs are added from there on.
 *
 * @param file name for messages
 * @param address where the address holds x, y and polarity; by default as the original reads CIFAR10-DVS
 * @returns the events in file order, and a sentence for each accepted irregularity
 * @throws {ReproError} `aedat2-header` for another magic, version or line end, or a header line without an end;
 *   `aedat2-truncated` if the events are not a multiple of 8 bytes; `aedat2-event` for a pixel outside the sensor, or
 *   a clock that started again too often; each with file and byte
 * @see https://docs.inivation.com/software/software-advanced-usage/file-formats/aedat-2.0.html; docs/formats.md
 */
export function decodeAedat2(
  bytes: Uint8Array,
  file: string,
  sensor: Sensor,
  address: Aedat2Address = CIFAR10_DVS_ADDRESS,
): { readonly events: Events; readonly warnings: readonly string[] } {
  const start = readAedat2Header(bytes, file).sizeBytes;
  const capacity = Math.floor((bytes.length - start) / EVENT_BYTES);
  const left = (bytes.length - start) % EVENT_BYTES;
  if (left !== 0) {
    throw new ReproError(
      'aedat2-truncated',
      `${left} ${left === 1 ? 'byte' : 'bytes'} left over; an event has ${EVENT_BYTES}.`,
      {
        where: `${file}: byte ${bytes.length - left}`,
        fix: 'The file is cut off or damaged: download it again.',
      },
    );
  }
  const events = {
    tUs: new Float64Array(capacity),
    x: new Uint16Array(capacity),
    y: new Uint16Array(capacity),
    p: new Uint8Array(capacity),
  };
  const { tUs, x, y, p } = events;
  const { width, height } = sensor;
  const { xShift, xMask, xFlip, yShift, yMask, yFlip, pShift, pFlip, skipped, unused } = address;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const notes = { odd: 0, firstOdd: 0, backwards: 0, firstBackwards: 0, overflows: 0, firstOverflow: 0 };
  let length = 0;
  let overflow = 0;
  let previous = 0;
  for (let at = start; at < bytes.length; at += EVENT_BYTES) {
    const data = view.getUint32(at);
    if ((data & skipped) !== 0) continue;
    if ((data & unused) !== 0 && notes.odd++ === 0) notes.firstOdd = at;
    const column = ((data >>> xShift) & xMask) ^ xFlip;
    const row = ((data >>> yShift) & yMask) ^ yFlip;
    if (column >= width || row >= height) failPixel(file, at, column, row, sensor);
    const stamp = view.getUint32(at + 4);
    if (length > 0 && stamp < previous) {
      if (previous - stamp > CLOCK_PERIOD_US / 2) {
        if (++overflow > LARGEST_OVERFLOW) failOverflow(file, at);
        if (notes.overflows++ === 0) notes.firstOverflow = at;
      } else if (notes.backwards++ === 0) notes.firstBackwards = at;
    } else if (stamp - previous > CLOCK_PERIOD_US / 2 && overflow > 0) {
      // A late event from before the clock started again.
      overflow -= 1;
      if (notes.backwards++ === 0) notes.firstBackwards = at;
    }
    previous = stamp;
    tUs[length] = stamp + overflow * CLOCK_PERIOD_US;
    x[length] = column;
    y[length] = row;
    p[length] = ((data >>> pShift) & 1) ^ pFlip;
    length += 1;
  }
  return { events: sliceEvents(events, 0, length), warnings: describe(notes, length, file) };
}

function failPixel(file: string, at: number, x: number, y: number, sensor: Sensor): never {
  throw new ReproError(
    'aedat2-event',
    `an event is at x ${x}, y ${y}, outside the sensor's ${sensor.width} x ${sensor.height} pixels.`,
    { where: `${file}: byte ${at}`, fix: 'The file is damaged or was recorded with a different camera.' },
  );
}

function failOverflow(file: string, at: number): never {
  throw new ReproError(
    'aedat2-event',
    `the clock starts again for the ${LARGEST_OVERFLOW + 1}th time; that would take 285 years.`,
    { where: `${file}: byte ${at}`, fix: 'The file is damaged: download it again.' },
  );
}

function describe(
  notes: Readonly<
    Record<'odd' | 'firstOdd' | 'backwards' | 'firstBackwards' | 'overflows' | 'firstOverflow', number>
  >,
  length: number,
  file: string,
): string[] {
  const warnings: string[] = [];
  const add = (times: number, first: number, text: string) => {
    if (times === 0) return;
    const often = times === 1 ? '' : ` (the first of ${times.toLocaleString('en-US')} such places)`;
    warnings.push(`${file}: byte ${first}  ${text}${often}.`);
  };
  if (length === 0) warnings.push(`${file}  contains no events: its clip is blank.`);
  add(
    notes.odd,
    notes.firstOdd,
    'has address bits that an event of this camera never has; it is counted all the same',
  );
  add(
    notes.overflows,
    notes.firstOverflow,
    'the 32-bit clock starts again at 0; later times continue from there',
  );
  add(notes.backwards, notes.firstBackwards, 'goes back in time');
  return warnings;
}
