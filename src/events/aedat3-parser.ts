import { failEvent, failPacket, failTrailing, failTruncated, type PacketPlace } from './aedat3-errors.ts';
import { type AedatHeader, readHeaderLines } from './aedat3-header.ts';
import { Aedat3Notes } from './aedat3-notes.ts';
import type { EventSink, Sensor } from './events.ts';

export interface ReadAedat3Options {
  /** Name for messages. */
  readonly file: string;
  readonly sensor: Sensor;
  /** Events whose validity bit is 0: the original keeps them, other readers drop them. */
  readonly invalidEvents?: 'keep' | 'drop';
  /** The source's total size, if known: a packet that cannot fit is then rejected at its header. */
  readonly sizeBytes?: number;
  readonly signal?: AbortSignal;
}

/** What a recording contains besides its events. */
export interface Aedat3Summary {
  /** The text header's lines, without `#` and line ends. */
  readonly header: readonly string[];
  readonly packets: number;
  /** Packets other than polarity events (special, frame, IMU), which are skipped. */
  readonly skippedPackets: number;
  /** Events passed on. */
  readonly events: number;
  /** Events left out because `invalidEvents` is `drop`. */
  readonly droppedEvents: number;
  /** Smallest and largest time, µs; null without events. */
  readonly firstUs: number | null;
  readonly lastUs: number | null;
  /** No event is earlier than the one before it. */
  readonly monotonic: boolean;
  /** Irregularities that the original accepts: one sentence each, with packet and byte offset. */
  readonly warnings: readonly string[];
}

interface PacketHeader {
  readonly type: number;
  readonly eventSizeBytes: number;
  readonly overflow: number;
  readonly capacity: number;
  readonly number: number;
}

const PACKET_HEADER_BYTES = 28;
const EVENT_BYTES = 8;
const POLARITY = 1;
/** The last of libcaer's own packet types; those from 100 up are user-defined. */
const LARGEST_KNOWN_TYPE = 13;
const FIRST_USER_TYPE = 100;
/** The largest count for which every time, even with a 32-bit clock, is exact in a double (< 2^53 µs). */
const LARGEST_OVERFLOW = 2 ** 22 - 1;

/**
 * Reads AEDAT 3.1 from chunks of bytes of any size and passes on each polarity event, in file order. It keeps no more
 * than the chunk and a partial event before it, whatever the packets' sizes.
 *
 * Like the original, it reads all `eventCapacity` slots of a packet, uses `t = timestamp | eventTSOverflow << 31`, and
 * keeps events whose validity bit is 0 unless `invalidEvents` is `drop` (which also leaves out the slots beyond
 * `eventNumber`). A file cut off exactly between two packets cannot be distinguished from a shorter recording.
 *
 * @throws {ReproError} `aedat-header`, `aedat-packet`, `aedat-event` or `aedat-truncated`, with file, packet and byte offset
 */
export class Aedat3Parser {
  readonly #options: ReadAedat3Options;
  readonly #sink: EventSink;
  readonly #notes: Aedat3Notes;
  #pending: Uint8Array = new Uint8Array(0);
  /** Byte offset of `#pending` in the file. */
  #offset = 0;
  #header: AedatHeader | null = null;
  #packet: PacketHeader | null = null;
  #packetOffset = 0;
  #packets = 0;
  #skippedPackets = 0;
  #slot = 0;
  #skipBytes = 0;
  #events = 0;
  #dropped = 0;
  #firstUs = Number.POSITIVE_INFINITY;
  #lastUs = Number.NEGATIVE_INFINITY;
  #previousUs = Number.NEGATIVE_INFINITY;

  constructor(options: ReadAedat3Options, sink: EventSink) {
    this.#options = options;
    this.#sink = sink;
    this.#notes = new Aedat3Notes(options.file);
  }

  push(chunk: Uint8Array): void {
    let bytes = chunk;
    if (this.#pending.length > 0) {
      bytes = new Uint8Array(this.#pending.length + chunk.length);
      bytes.set(this.#pending);
      bytes.set(chunk, this.#pending.length);
    }
    const used = this.#consume(bytes, false);
    this.#offset += used;
    // A copy: the chunk may be overwritten, and a Buffer's `slice` is only a view.
    this.#pending = new Uint8Array(bytes.subarray(used));
  }

  /** The source has ended. */
  finish(): Aedat3Summary {
    const left = this.#pending.length;
    this.#consume(this.#pending, true);
    if (this.#packet !== null) {
      this.#failTruncated(this.#packet, this.#packetOffset + PACKET_HEADER_BYTES, this.#offset + left);
    }
    if (left > 0) failTrailing(this.#place(this.#offset, this.#packets + 1), left);
    if (this.#events === 0) this.#notes.add('empty', 'contains no polarity events');
    return {
      header: this.#header?.lines ?? [],
      packets: this.#packets,
      skippedPackets: this.#skippedPackets,
      events: this.#events,
      droppedEvents: this.#dropped,
      firstUs: this.#events === 0 ? null : this.#firstUs,
      lastUs: this.#events === 0 ? null : this.#lastUs,
      monotonic: !this.#notes.has('backwards'),
      warnings: this.#notes.sentences(),
    };
  }

  /** Reads the complete part of `bytes`; returns how many bytes that was. */
  #consume(bytes: Uint8Array, ended: boolean): number {
    let at = 0;
    if (this.#header === null) {
      this.#header = readHeaderLines(bytes, ended, this.#options.file);
      if (this.#header === null) return 0;
      at = this.#header.sizeBytes;
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (;;) {
      if (this.#packet === null) {
        if (bytes.length - at < PACKET_HEADER_BYTES) return at;
        this.#openPacket(view, at);
        at += PACKET_HEADER_BYTES;
      }
      at = this.#packetBody(view, at);
      if (this.#packet !== null) return at;
    }
  }

  #openPacket(view: DataView, at: number): void {
    this.#packetOffset = this.#offset + at;
    this.#packets += 1;
    const packet: PacketHeader = {
      type: view.getUint16(at, true),
      eventSizeBytes: view.getUint32(at + 4, true),
      overflow: view.getUint32(at + 12, true),
      capacity: view.getUint32(at + 16, true),
      number: view.getUint32(at + 20, true),
    };
    this.#checkPacket(packet, view.getUint32(at + 8, true), view.getUint32(at + 24, true));
    this.#packet = packet;
    this.#slot = 0;
    if (packet.type !== POLARITY) {
      this.#skippedPackets += 1;
      this.#skipBytes = packet.capacity * packet.eventSizeBytes;
    }
  }

  #checkPacket(packet: PacketHeader, timeOffset: number, valid: number): void {
    const bodyBytes = packet.capacity * packet.eventSizeBytes;
    if (packet.type === POLARITY && (packet.eventSizeBytes !== EVENT_BYTES || timeOffset !== 4)) {
      failPacket(
        this.#place(),
        `a polarity event has ${EVENT_BYTES} bytes with its time at byte 4, not ` +
          `${packet.eventSizeBytes} bytes with its time at byte ${timeOffset}`,
      );
    }
    if (packet.number > packet.capacity) {
      failPacket(
        this.#place(),
        `it has more events (${packet.number}) than its capacity (${packet.capacity})`,
      );
    }
    if (packet.type === POLARITY && packet.overflow > LARGEST_OVERFLOW) {
      failPacket(
        this.#place(),
        `its clock overflowed ${packet.overflow} times; more than ${LARGEST_OVERFLOW} is impossible`,
      );
    }
    const bodyOffset = this.#packetOffset + PACKET_HEADER_BYTES;
    if (this.#options.sizeBytes !== undefined && bodyOffset + bodyBytes > this.#options.sizeBytes) {
      this.#failTruncated(packet, bodyOffset, this.#options.sizeBytes);
    }
    if (packet.type === POLARITY && packet.number < packet.capacity) {
      const use = this.#options.invalidEvents === 'drop' ? 'empty slots are left out' : 'all slots are read';
      this.#note('capacity', `has room for more events than it contains; ${use}`);
    }
    if (valid > packet.number) this.#note('valid', 'counts more valid events than events');
    if (packet.type > LARGEST_KNOWN_TYPE && packet.type < FIRST_USER_TYPE) {
      this.#note('type', `is of the unknown kind ${packet.type} and is skipped`);
    }
  }

  /** Reads or skips the open packet's events from `at`; closes it once they are all read. */
  #packetBody(view: DataView, at: number): number {
    const packet = this.#packet!;
    const available = view.byteLength - at;
    if (packet.type !== POLARITY) {
      const skipped = Math.min(available, this.#skipBytes);
      this.#skipBytes -= skipped;
      if (this.#skipBytes === 0) this.#packet = null;
      return at + skipped;
    }
    const slots = Math.min(Math.floor(available / EVENT_BYTES), packet.capacity - this.#slot);
    for (let i = 0; i < slots; i++) this.#event(view, at + i * EVENT_BYTES, packet);
    if (this.#slot === packet.capacity) this.#packet = null;
    return at + slots * EVENT_BYTES;
  }

  #event(view: DataView, at: number, packet: PacketHeader): void {
    const data = view.getUint32(at, true);
    const stamp = view.getUint32(at + 4, true);
    const slot = this.#slot++;
    if (this.#options.invalidEvents === 'drop' && ((data & 1) === 0 || slot >= packet.number)) {
      this.#dropped += 1;
      return;
    }
    const x = data >>> 17;
    const y = (data >>> 2) & 0x7fff;
    const { width, height } = this.#options.sensor;
    if (x >= width || y >= height) {
      failEvent(this.#place(this.#offset + at), slot, x, y, this.#options.sensor);
    }
    let tUs = stamp + packet.overflow * 2 ** 31;
    if (stamp >= 2 ** 31) {
      // A negative time to the camera. `|` with an odd overflow count does not add that bit a second time.
      if (packet.overflow % 2 === 1) tUs -= 2 ** 31;
      this.#note('negative', `has a timestamp beyond the clock's 31 bits (${stamp})`);
    }
    if (tUs < this.#previousUs) {
      this.#note('backwards', `goes back in time, from ${this.#previousUs} to ${tUs} µs`, this.#offset + at);
    }
    this.#previousUs = tUs;
    if (tUs < this.#firstUs) this.#firstUs = tUs;
    if (tUs > this.#lastUs) this.#lastUs = tUs;
    this.#events += 1;
    this.#sink(tUs, x, y, (data >>> 1) & 1);
  }

  #note(kind: string, text: string, offset = this.#packetOffset): void {
    this.#notes.add(kind, text, `packet ${this.#packets}, byte ${offset}`);
  }

  #place(byte = this.#packetOffset, packet = this.#packets): PacketPlace {
    return { file: this.#options.file, packet, byte };
  }

  #failTruncated(packet: PacketHeader, bodyOffset: number, fileBytes: number): never {
    const neededBytes = packet.capacity * packet.eventSizeBytes;
    failTruncated(this.#place(), packet.capacity, neededBytes, Math.max(0, fileBytes - bodyOffset));
  }
}
