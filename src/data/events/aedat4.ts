import { messageOf, ReproError } from '../../base/errors.ts';
import { type Aedat4Compression, type Aedat4Stream, readHeader } from './aedat4-header.ts';
import { type Aedat4Place, describePlace, FlatTable, failAedat4 } from './aedat4-table.ts';
import { EventBuffer, type Events, type Sensor } from './events.ts';
import { unpackLz4 } from './lz4.ts';
import { ReaderNotes } from './reader-warnings.ts';

const PACKET_HEADER_BYTES = 8;
/** At 10 million events a second, what a camera of today can do, 13 seconds; of a usual recording many minutes. */
const LARGEST_EVENTS = 2 ** 27;
/** Of any file; a larger one may have an event for each byte. Packed events of a camera take several bytes each. */
const EVENTS_OF_ANY_FILE = 2 ** 22;
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
 * @see https://docs.inivation.com/software/software-advanced-usage/file-formats/aedat-4.0.html
 */
export async function decodeAedat4(
  bytes: Uint8Array,
  file: string,
  limitEvents = Math.min(LARGEST_EVENTS, Math.max(EVENTS_OF_ANY_FILE, bytes.length)),
): Promise<{ readonly events: Events; readonly sensor: Sensor; readonly warnings: readonly string[] }> {
  const header = readHeader(bytes, file);
  const notes = new ReaderNotes(file);
  const start: Aedat4Place = { file, packet: 0, byte: 0 };
  const stream = chooseStream(header.streams, start, notes);
  const sensor = readSensor(stream, start);
  const known = new Set(header.streams.map(({ id }) => id));
  const unpack = await loadUnpack(header.compression);
  const events = new EventBuffer(Math.min(limitEvents, Math.ceil(bytes.length / EVENT_BYTES)) + 1);
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
    const elements = new FlatTable(contents, 'EVTS', place).vector(0, EVENT_BYTES);
    if (elements === null) continue;
    if (events.length + elements.bytes.length / EVENT_BYTES > limitEvents) {
      failAedat4(
        'aedat4-size',
        place,
        `the recording has more than ${limitEvents.toLocaleString('en-US')} events up to here`,
        'Cut it into shorter recordings.',
      );
    }
    readEvents(elements, { sensor, place, events, notes });
  }
  if (events.length === 0) notes.addBlank();
  return { events: events.events(), sensor, warnings: notes.sentences() };
}

/** The first one with events. */
function chooseStream(
  streams: readonly Aedat4Stream[],
  place: Aedat4Place,
  notes: ReaderNotes,
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
    notes.add(
      'streams',
      `has ${others.length + 1} streams of events: ${describeStream(stream)} is read, not ${unread}`,
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

/** @param elements 16 bytes per event, little-endian: time (i64, µs), x (i16), y (i16), polarity (u8), 3 unused; and where they start */
function readEvents(
  elements: { readonly bytes: Uint8Array; readonly at: number },
  to: {
    readonly sensor: Sensor;
    readonly place: Aedat4Place;
    readonly events: EventBuffer;
    readonly notes: ReaderNotes;
  },
): void {
  const { bytes, at } = elements;
  const { sensor, events, notes } = to;
  const { width, height } = sensor;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let from = 0; from < bytes.length; from += EVENT_BYTES) {
    const place = (): Aedat4Place => ({ ...to.place, inside: at + from });
    const high = view.getInt32(from + 4, true);
    const x = view.getInt16(from + 8, true);
    const y = view.getInt16(from + 10, true);
    // As unsigned numbers, negative ones are too large as well.
    if (x >>> 0 >= width || y >>> 0 >= height) {
      const outside = `outside the sensor's ${width} x ${height} pixels`;
      failAedat4(
        'aedat4-event',
        place(),
        `event ${events.length} of the recording is at x ${x}, y ${y}, ${outside}`,
      );
    }
    if (high >>> 0 >= HIGH_LIMIT) {
      const time = view.getBigInt64(from, true);
      const what = `event ${events.length} of the recording is at ${time} µs; times are from 0 to 2^53`;
      failAedat4('aedat4-event', place(), what);
    }
    const tUs = high * 2 ** 32 + view.getUint32(from, true);
    if (tUs < events.lastUs) notes.addBackwards(describePlace(place()));
    events.push(tUs, x, y, Math.min(1, bytes[from + 12]!));
  }
}

type Unpack = (bytes: Uint8Array, place: Aedat4Place) => Uint8Array;

/**
 * Of an unpacked packet. Frames need not tell their size. Cameras write a packet every few ms, far below 1 MB; this is 4 million events.
 * It bounds the memory for one packet, whatever its compressed bytes claim.
 */
const LARGEST_PACKET_BYTES = 2 ** 26;

/** Loads the library for Zstandard only when a file needs it. */
async function loadUnpack(compression: Aedat4Compression): Promise<Unpack> {
  if (compression === 'none') return (bytes) => bytes;
  if (compression === 'lz4') return unpackWith((bytes) => unpackLz4(bytes, LARGEST_PACKET_BYTES));
  const { ZSTDDecoder } = await import('zstddec');
  const decoder = new ZSTDDecoder();
  await decoder.init();
  return unpackWith((bytes) => decoder.decode(bytes, LARGEST_PACKET_BYTES));
}

function unpackWith(unpack: (bytes: Uint8Array) => Uint8Array): Unpack {
  return (bytes, place) => {
    const fail = (what: string, cause?: unknown): never =>
      failAedat4('aedat4-compression', place, `the packet cannot be unpacked: ${what}`, undefined, cause);
    try {
      const unpacked = unpack(bytes);
      // The decoder of Zstandard gives nothing where its input is damaged or too much.
      return unpacked.length === 0 ? fail('its data are damaged, or more than 64 MiB') : unpacked;
    } catch (error) {
      if (error instanceof ReproError) throw error;
      return fail(messageOf(error), error);
    }
  };
}
