import { type Aedat4Place, describePlace, failAedat4 } from './aedat4-errors.ts';
import { type Aedat4Stream, readHeader } from './aedat4-header.ts';
import { FlatTable } from './aedat4-table.ts';
import { loadUnpack } from './aedat4-unpack.ts';
import { type Events, makeEvents, type Sensor, sliceEvents } from './events.ts';
import { warnOf, warnOfBlank } from './reader-warnings.ts';

const PACKET_HEADER_BYTES = 8;
/** At 10 million events a second, what a camera of today can do, 13 seconds; of a usual recording many minutes. */
const LARGEST_EVENTS = 2 ** 27;
/**
 * A flatbuffer needs about 60 bytes around its list of events. Without this bound, packets that unpack to zeros without
 * any event would keep the reader busy for hours.
 */
const LARGEST_OVERHEAD_BYTES = 4096;
/** How much smaller the compressions make a usual recording, for the first guess of the memory. */
const USUAL_RATIO = 3;
/** Coordinates are 16-bit numbers with a sign. */
const LARGEST_SIDE = 2 ** 15;

/**
 * Reads the events of a recording by iniVation's DV or dv-processing (AEDAT 4.0): a header with the streams and their
 * sizes, then packets, each for one stream and compressed by itself, then perhaps a table of contents, which is not
 * used. Packets of other streams (frames, motion, triggers) are skipped without being unpacked.
 *
 * Without a table of contents, as after an interrupted recording, a file cut off exactly between two packets cannot be
 * distinguished from a shorter recording.
 *
 * @param file name for messages
 * @param limitEvents most events to read: a packet can unpack to thousands of times its size, so that the file's size alone would not
 *   bound the memory (13 bytes per event, twice that while the arrays grow)
 * @returns the stream's events in file order, times in µs since 1970; its sensor's size as the header tells; and a
 *   sentence for each accepted irregularity
 * @throws {ReproError} `aedat4-header`, `aedat4-packet`, `aedat4-truncated`, `aedat4-compression`, `aedat4-event` for a
 *   pixel outside the sensor or an impossible time, `aedat4-size` beyond what is read; each with file, packet and byte
 * @see https://docs.inivation.com/software/software-advanced-usage/file-formats/aedat-4.0.html; docs/formats.md
 */
export async function decodeAedat4(
  bytes: Uint8Array,
  file: string,
  limitEvents = LARGEST_EVENTS,
): Promise<{ readonly events: Events; readonly sensor: Sensor; readonly warnings: readonly string[] }> {
  const header = readHeader(bytes, file);
  const warnings: string[] = [];
  const start: Aedat4Place = { file, packet: 0, byte: 0 };
  const stream = chooseStream(header.streams, start, warnings);
  const sensor = readSensor(stream, start);
  const known = new Set(header.streams.map(({ id }) => id));
  const unpack = await loadUnpack(header.compression);
  const mostEvents = Math.ceil(
    (bytes.length / EVENT_BYTES) * (header.compression === 'none' ? 1 : USUAL_RATIO),
  );
  const store = new EventStore(sensor, Math.min(limitEvents, mostEvents));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let packet = 0;
  for (let at = header.packetsAt; at < header.packetsEnd; ) {
    packet += 1;
    const place: Aedat4Place = { file, packet, byte: at };
    const there = header.packetsEnd - at - PACKET_HEADER_BYTES;
    if (there < 0) {
      failAedat4(
        'aedat4-truncated',
        place,
        `${there + PACKET_HEADER_BYTES} bytes left over; a packet's header has 8`,
      );
    }
    const id = view.getInt32(at, true);
    const sizeBytes = view.getInt32(at + 4, true);
    if (!known.has(id))
      failAedat4('aedat4-packet', place, `the packet is of stream ${id}, which the header does not list`);
    if (sizeBytes < 0) failAedat4('aedat4-packet', place, `a packet cannot have ${sizeBytes} bytes`);
    if (sizeBytes > there) {
      failAedat4('aedat4-truncated', place, `the packet needs ${sizeBytes} bytes, but ${there} follow`);
    }
    at += PACKET_HEADER_BYTES + sizeBytes;
    if (id !== stream.id) continue;
    const contents = unpack(bytes.subarray(at - sizeBytes, at), place);
    const elements = FlatTable.open(contents, 'EVTS', place).vector(0, EVENT_BYTES);
    const otherBytes = contents.length - (elements?.bytes.length ?? 0);
    if (otherBytes > LARGEST_OVERHEAD_BYTES) {
      failAedat4('aedat4-packet', place, `the packet has ${otherBytes} bytes besides its events`);
    }
    if (elements === null) continue;
    if (store.length + elements.bytes.length / EVENT_BYTES > limitEvents) {
      failAedat4(
        'aedat4-size',
        place,
        `the recording has more than ${limitEvents.toLocaleString('en-US')} events up to here`,
        'Cut it into shorter recordings.',
      );
    }
    store.add(elements.bytes, elements.at, place);
  }
  const { backwards } = store;
  if (store.length === 0) warnings.push(warnOfBlank(file));
  if (backwards !== null) {
    warnings.push(warnOf(describePlace(backwards.first), 'goes back in time', backwards.times));
  }
  return { events: store.events(), sensor, warnings };
}

/** The first one with events. */
function chooseStream(
  streams: readonly Aedat4Stream[],
  place: Aedat4Place,
  warnings: string[],
): Aedat4Stream {
  const [stream, ...others] = streams.filter(({ type }) => type === 'EVTS');
  if (stream === undefined) {
    const list = streams.map(({ id, type }) => `${id} (${type || 'of no type'})`).join(', ') || 'none';
    failAedat4(
      'aedat4-header',
      place,
      `there is no stream of events; the streams are: ${list}`,
      'Record the output `events` of the camera too.',
    );
  }
  if (others.length > 0) {
    const unread = others.map(describeStream).join(', ');
    warnings.push(
      `${place.file}  has ${others.length + 1} streams of events: ${describeStream(stream)} is read, not ${unread}.`,
    );
  }
  return stream;
}

function describeStream({ id, name }: Aedat4Stream): string {
  return name === '' ? String(id) : `${id} (${name})`;
}

function readSensor({ id, width, height }: Aedat4Stream, place: Aedat4Place): Sensor {
  if (width === null || height === null) {
    failAedat4('aedat4-header', place, `the size (sizeX, sizeY) of stream ${id} is missing`);
  }
  if (width < 1 || height < 1 || width > LARGEST_SIDE || height > LARGEST_SIDE) {
    failAedat4('aedat4-header', place, `a sensor of ${width} x ${height} pixels is impossible`);
  }
  return { height, width };
}

const EVENT_BYTES = 16;

/** The upper half of a time of 2^53 µs: a double holds exactly what is below. */
const HIGH_LIMIT = 2 ** 21;

/** Collects the events of packets in arrays that grow by a packet at a time, at least to double. */
class EventStore {
  readonly #sensor: Sensor;
  #events: Events;
  #length = 0;
  #previousUs = 0;
  #backwards = 0;
  #firstBackwards: Aedat4Place | null = null;

  /** @param capacity events for which there is memory before the arrays have to grow */
  constructor(sensor: Sensor, capacity: number) {
    this.#sensor = sensor;
    this.#events = makeEvents(capacity);
  }

  get length(): number {
    return this.#length;
  }

  /** Events that are earlier than the one before, and where the first is. */
  get backwards(): { readonly times: number; readonly first: Aedat4Place } | null {
    return this.#firstBackwards === null ? null : { times: this.#backwards, first: this.#firstBackwards };
  }

  /** The collected events as views of the memory: valid until the next `add`. */
  events(): Events {
    return sliceEvents(this.#events, 0, this.#length);
  }

  /**
   * @param elements 16 bytes per event, little-endian: time (i64, µs), x (i16), y (i16), polarity (u8), 3 unused
   * @param at of the first in the packet's contents, for messages
   */
  add(elements: Uint8Array, at: number, place: Aedat4Place): void {
    const count = elements.length / EVENT_BYTES;
    this.#reserve(count);
    const view = new DataView(elements.buffer, elements.byteOffset, elements.byteLength);
    const { tUs, x, y, p } = this.#events;
    const { width, height } = this.#sensor;
    let previousUs = this.#previousUs;
    let to = this.#length;
    for (let from = 0; from < elements.length; from += EVENT_BYTES, to++) {
      const high = view.getInt32(from + 4, true);
      const column = view.getInt16(from + 8, true);
      const row = view.getInt16(from + 10, true);
      // As unsigned numbers, negative ones are too large as well.
      if (column >>> 0 >= width || row >>> 0 >= height) {
        const inside = at + from;
        const size = `${width} x ${height}`;
        const what = `event ${to} of the recording is at x ${column}, y ${row}, outside the sensor's ${size} pixels`;
        failAedat4('aedat4-event', { ...place, inside }, what);
      }
      if (high >>> 0 >= HIGH_LIMIT) {
        const time = view.getBigInt64(from, true);
        const what = `event ${to} of the recording is at ${time} µs; times are from 0 to 2^53`;
        failAedat4('aedat4-event', { ...place, inside: at + from }, what);
      }
      const time = high * 2 ** 32 + view.getUint32(from, true);
      if (time < previousUs && this.#backwards++ === 0)
        this.#firstBackwards = { ...place, inside: at + from };
      previousUs = time;
      tUs[to] = time;
      x[to] = column;
      y[to] = row;
      p[to] = Math.min(1, elements[from + 12]!);
    }
    this.#previousUs = previousUs;
    this.#length = to;
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#events.tUs.length) return;
    const grown = makeEvents(Math.max(needed, 2 * this.#events.tUs.length));
    const now = this.events();
    grown.tUs.set(now.tUs);
    grown.x.set(now.x);
    grown.y.set(now.y);
    grown.p.set(now.p);
    this.#events = grown;
  }
}
