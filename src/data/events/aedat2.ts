import { ReproError } from '../../base/errors.ts';
import { formatCount, latin1Text } from '../../base/text.ts';
import { type Events, makeEvents, type Sensor, sliceEvents } from './events.ts';
import { explainMagic, ReaderNotes } from './reader-warnings.ts';

const DAMAGED = 'The file is cut off or damaged: download it again.';
const EVENT_BYTES = 8;
const CLOCK_PERIOD_US = 2 ** 32;

/**
 * Reads an AEDAT 2.0 recording: lines that start with `#`, then 8 bytes per event, big-endian: address (u32), time
 * (u32, µs).
 *
 * The time is read as unsigned, as the original does; to the camera it is a signed number that becomes negative after
 * 2^31 µs (36 minutes), which is not a jump if it is read as unsigned. After 2^32 µs (72 minutes) it starts again at 0: where a time
 * is more than 2^31 µs below the one before it, 2^32 µs are added from there on.
 *
 * @param file name for messages
 * @param sensor one of 128 x 128 pixels is a DVS128, unless the header names a DAVIS
 * @returns the events in file order, and a sentence for each accepted irregularity
 * @throws {ReproError} `aedat2-header` for another magic, version or line end, or a header line without an end;
 *   `aedat2-truncated` if the events are not a multiple of 8 bytes; `aedat2-event` for a pixel outside the sensor; each
 *   with file and byte
 * @see https://docs.inivation.com/software/software-advanced-usage/file-formats/aedat-2.0.html; docs/formats.md
 */
export function decodeAedat2(
  bytes: Uint8Array,
  file: string,
  sensor: Sensor,
): { readonly events: Events; readonly warnings: readonly string[] } {
  const { lines, sizeBytes: start } = readHeader(bytes, file);
  const capacity = Math.floor((bytes.length - start) / EVENT_BYTES);
  const left = (bytes.length - start) % EVENT_BYTES;
  if (left !== 0) {
    const text = `${formatCount(left, 'byte')} left over; an event has ${EVENT_BYTES}.`;
    throw new ReproError('aedat2-truncated', text, {
      where: `${file}: byte ${bytes.length - left}`,
      fix: DAMAGED,
    });
  }
  const events = makeEvents(capacity);
  const { tUs, x, y, p } = events;
  const { width, height } = sensor;
  const { xShift, xMask, xFlip, yShift, yMask, yFlip, pShift, pFlip, skipped, unused } = chooseAddress(
    lines,
    bytes.subarray(start),
    sensor,
  );
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const notes = new ReaderNotes(file);
  let length = 0;
  let overflow = 0;
  let previous = 0;
  for (let at = start; at < bytes.length; at += EVENT_BYTES) {
    const data = view.getUint32(at);
    if ((data & skipped) !== 0) continue;
    if ((data & unused) !== 0) {
      notes.add('odd', 'has address bits that this camera never sets; it is counted anyway', `byte ${at}`);
    }
    const column = ((data >>> xShift) & xMask) ^ xFlip;
    const row = ((data >>> yShift) & yMask) ^ yFlip;
    if (column >= width || row >= height) failPixel(file, at, column, row, sensor);
    const stamp = view.getUint32(at + 4);
    if (length > 0 && stamp < previous) {
      if (previous - stamp > CLOCK_PERIOD_US / 2) {
        overflow += 1;
        notes.add(
          'overflow',
          'the 32-bit clock starts again at 0; later times continue from there',
          `byte ${at}`,
        );
      } else notes.addBackwards(`byte ${at}`);
    } else if (stamp - previous > CLOCK_PERIOD_US / 2 && overflow > 0) {
      // A late event from before the clock started again.
      overflow -= 1;
      notes.addBackwards(`byte ${at}`);
    }
    previous = stamp;
    tUs[length] = stamp + overflow * CLOCK_PERIOD_US;
    x[length] = column;
    y[length] = row;
    p[length] = ((data >>> pShift) & 1) ^ pFlip;
    length += 1;
  }
  if (length === 0) notes.addBlank();
  return { events: sliceEvents(events, 0, length), warnings: notes.sentences() };
}

function failPixel(file: string, at: number, x: number, y: number, { width, height }: Sensor): never {
  const text = `an event is at x ${x}, y ${y}, outside the sensor's ${width} x ${height} pixels.`;
  const fix = 'The file is damaged or was recorded with a different camera.';
  throw new ReproError('aedat2-event', text, { where: `${file}: byte ${at}`, fix });
}

const MAGIC = '#!AER-DAT2.0\r\n';
/** jAER's newer files close the header with this line; older ones, CIFAR10-DVS among them, continue directly with events. */
const END_LINE = 'End Of ASCII Header';
/** jAER may keep a whole dump of the camera's settings in the header. */
const LARGEST_HEADER_BYTES = 2 ** 20;
const HASH = 0x23;
const LINE_FEED = 0x0a;

/** @returns the lines after the magic, without `#` and line ends; and the size up to the first event */
function readHeader(bytes: Uint8Array, file: string) {
  const start = bytes.subarray(0, LARGEST_HEADER_BYTES);
  if (latin1Text(start.subarray(0, MAGIC.length)) !== MAGIC) {
    const { what, fix } = explainMagic(bytes, '2.0');
    fail(file, 0, what, fix);
  }
  const lines: string[] = [];
  let at = MAGIC.length;
  while (at < bytes.length && bytes[at] === HASH) {
    const end = start.indexOf(LINE_FEED, at) + 1;
    if (end === 0) fail(file, at, 'a header line has no end', DAMAGED);
    const line = latin1Text(start.subarray(at + 1, end)).trimEnd();
    at = end;
    if (line === END_LINE) break;
    lines.push(line);
  }
  return { lines, sizeBytes: at };
}

/**
 * Where addresses hold x, y and polarity, by the class of camera that jAER's header names, as in
 * `# AEChip: ch.unizh.ini.jaer.chip.retina.DVS128`. If it names none, as in old recordings, only a DVS128 leaves bits 15 to 31 of every
 * address empty; CIFAR10-DVS is read as the original reads it, whatever bits its addresses have.
 */
function chooseAddress(
  lines: readonly string[],
  events: Uint8Array,
  { width, height }: Sensor,
): Aedat2Address {
  const camera = lines.map((line) => /^\s*AEChip:\s*(\S+)/.exec(line)?.[1]).find(Boolean) ?? '';
  if (/DVS128|Tmpdiff128/i.test(camera)) return DVS128_ADDRESS;
  // SBRet10 is what the DAVIS240 was called first.
  if (/DAVIS|SBRet/i.test(camera)) return DAVIS_ADDRESS;
  if (width === 128 && height === 128) return DVS128_ADDRESS;
  const isWide = (_: number, at: number) =>
    at % EVENT_BYTES === 0 && (events[at] !== 0 || events[at + 1] !== 0 || events[at + 2]! >= 0x80);
  return events.some(isWide) ? DAVIS_ADDRESS : DVS128_ADDRESS;
}

function fail(file: string, offset: number, what: string, fix: string): never {
  throw new ReproError('aedat2-header', `${what}.`, { where: `${file}: header, byte ${offset}`, fix });
}

/**
 * Where an AEDAT 2.0 event's 32-bit address holds its parts: `x = ((address >>> xShift) & xMask) ^ xFlip`, y and p alike.
 * With all bits of the mask in `flip`, the coordinate is mirrored: `127 - x` is `x ^ 127` for 7 bits.
 */
interface Aedat2Address {
  readonly xShift: number;
  readonly xMask: number;
  readonly xFlip: number;
  readonly yShift: number;
  readonly yMask: number;
  readonly yFlip: number;
  readonly pShift: number;
  /** 1 exchanges the polarities. */
  readonly pFlip: 0 | 1;
  /** An address with any of these bits is not a pixel's event and is skipped. */
  readonly skipped: number;
  /** An address with any of these bits is unexpected: it is counted, with a warning. */
  readonly unused: number;
}

/**
 * CIFAR10-DVS as the original's frames have it. The camera is a DVS128: polarity in bit 0, x in bits 1-7, y in bits
 * 8-14, and the result is `x = 127 - x`, `y = y`, `p = 1 - p`. So does the loader of SpikingJelly's old data sets
 * (`EventsFramesDatasetBase`, autumn 2020), whose arguments (`train`, `split_ratio`, `use_frame`, `frames_num`) the
 * original's scripts use. jAER's own class DVS128 reads the addresses in the same way (bit 0 clear is brighter). The loader
 * keeps every event, whatever bits 15-31 are.
 *
 * That loader's file also has constants for the DAVIS cameras (x in bits 12-21 and so on, `DAVIS_ADDRESS` here), but
 * they are only defaults that CIFAR10-DVS overrides: read by them, every event of a DVS128 would be at y 0.
 */
const DVS128_ADDRESS: Aedat2Address = {
  xShift: 1,
  xMask: 0x7f,
  xFlip: 0x7f,
  yShift: 8,
  yMask: 0x7f,
  yFlip: 0,
  pShift: 0,
  pFlip: 1,
  skipped: 0,
  unused: 0xffff_8000 | 0,
};

/**
 * jAER's DAVIS cameras, coordinates as in the file: polarity in bit 11, x in bits 12-21, y in bits 22-30. Bit 31 marks
 * samples of the picture sensor, bit 10 external events and the motion sensor: no pixel's events, left out.
 */
const DAVIS_ADDRESS: Aedat2Address = {
  xShift: 12,
  xMask: 0x3ff,
  xFlip: 0,
  yShift: 22,
  yMask: 0x1ff,
  yFlip: 0,
  pShift: 11,
  pFlip: 0,
  skipped: 0x8000_0400 | 0,
  unused: 0,
};
