import type { EventAddon } from '../../network/addon/event-functions.ts';
import {
  type AedatHeader,
  bodyBytesOf,
  checkPacket,
  describeOddities,
  EVENT_BYTES,
  failEvent,
  failTrailing,
  failTruncated,
  hasPolarityEvents,
  isOrdinaryPacket,
  PACKET_HEADER_BYTES,
  type PacketHeader,
  type PacketPlace,
  readHeaderLines,
  readPacketHeader,
} from './aedat3-packet.ts';
import { ByteWindow } from './byte-window.ts';
import { eachEvent } from './clips.ts';
import { type BlockSink, EventCheck } from './event-block.ts';
import type { Sensor } from './events.ts';
import { EventBuffer, type Events } from './events.ts';
import { ReaderNotes } from './reader-warnings.ts';

export interface ReadAedat3Options {
  /** Name for messages. */
  readonly file: string;
  readonly sensor: Sensor;
  /** Events whose validity bit is 0: the original keeps them, other readers drop them. */
  readonly invalidEvents?: 'keep' | 'drop';
  /** The source's total size, if known: a packet that cannot fit is then rejected at its header. */
  readonly sizeBytes?: number;
  /** What checks and counts events; null, the default, for TypeScript, which also runs in browsers. */
  readonly addon?: EventAddon | null;
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

/** Reading resumes at a packet of a recording that was read before. */
interface Resume {
  /** Where that packet starts in the file. */
  readonly byte: number;
  /** All blocks were regular the first time, so they are passed on without being checked again. */
  readonly regular: boolean;
}

/** Events looked at at once, so that a copy of them is small however large a packet is. */
const BLOCK_EVENTS = 1 << 14;

/**
 * Reads AEDAT 3.1 from chunks of bytes of any size and passes on its polarity events in file order, in blocks. It keeps at
 * most the chunk and a partial event before it, however large the packets are.
 *
 * Like the original, it reads all `eventCapacity` slots of a packet, uses `t = timestamp | eventTSOverflow << 31`, and
 * keeps events whose validity bit is 0 unless `invalidEvents` is `drop` (which also leaves out the slots beyond
 * `eventNumber`). A file cut off exactly between two packets cannot be distinguished from a shorter recording.
 *
 * A block without anything odd is passed on as it is in the file. Only others are looked at event by event.
 *
 * @throws {ReproError} `aedat-header`, `aedat-packet`, `aedat-event` or `aedat-truncated`, with file, packet and byte offset
 */
export class Aedat3Parser {
  readonly #options: ReadAedat3Options;
  readonly #drops: boolean;
  readonly #sink: BlockSink;
  readonly #notes: ReaderNotes;
  readonly #check: EventCheck;
  readonly #trusts: boolean;
  readonly #window: ByteWindow;
  /** For what is kept of irregular blocks. */
  #scratch = new Int32Array(0);
  #header: AedatHeader | null = null;
  #packet: PacketHeader | null = null;
  #packetOffset = 0;
  #packets = 0;
  #skippedPackets = 0;
  #slot = 0;
  #skipBytes = 0;
  #events = 0;
  #dropped = 0;
  #regular = true;
  #firstUs = Number.POSITIVE_INFINITY;
  #lastUs = Number.NEGATIVE_INFINITY;
  #previousUs = Number.NEGATIVE_INFINITY;

  constructor(options: ReadAedat3Options, sink: BlockSink, resume: Resume | null = null) {
    this.#options = options;
    this.#drops = options.invalidEvents === 'drop';
    this.#sink = sink;
    this.#notes = new ReaderNotes(options.file);
    this.#check = new EventCheck(options.sensor, options.addon ?? null);
    this.#trusts = resume?.regular ?? false;
    this.#window = new ByteWindow(resume?.byte ?? 0);
    if (resume !== null) this.#header = { lines: [], sizeBytes: 0 };
  }

  /** Whether every block so far was passed on as it is in the file, in the order of time. */
  get regular(): boolean {
    return this.#regular;
  }

  /** Takes the next bytes of the file. */
  push(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length; ) {
      at += this.#window.append(chunk, at);
      this.#consume(this.#window, false);
    }
  }

  /** The source has ended. */
  finish(): Aedat3Summary {
    const window = this.#window;
    this.#consume(window, true);
    const left = window.length;
    const offset = window.offsetOf(window.from);
    if (this.#packet !== null) {
      this.#failTruncated(this.#packet, this.#packetOffset + PACKET_HEADER_BYTES, offset + left);
    }
    if (left > 0) failTrailing(this.#place(offset, this.#packets + 1), left);
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

  /** Reads what is complete. */
  #consume(window: ByteWindow, ended: boolean): void {
    if (this.#header === null) {
      this.#header = readHeaderLines(
        window.bytes.subarray(window.from, window.to),
        ended,
        this.#options.file,
      );
      if (this.#header === null) return;
      window.from += this.#header.sizeBytes;
    }
    for (;;) {
      if (this.#packet === null) {
        if (window.length < PACKET_HEADER_BYTES) return;
        this.#openPacket(window);
      }
      this.#packetBody(window, this.#packet!);
      if (this.#packet !== null) return;
    }
  }

  #openPacket(window: ByteWindow): void {
    this.#packetOffset = window.offsetOf(window.from);
    this.#packets += 1;
    const packet = readPacketHeader(window.view, window.from);
    window.from += PACKET_HEADER_BYTES;
    const isOrdinary = isOrdinaryPacket(packet);
    if (!isOrdinary) checkPacket(packet, this.#place());
    const bodyOffset = this.#packetOffset + PACKET_HEADER_BYTES;
    const { sizeBytes, invalidEvents = 'keep' } = this.#options;
    if (sizeBytes !== undefined && bodyOffset + bodyBytesOf(packet) > sizeBytes) {
      this.#failTruncated(packet, bodyOffset, sizeBytes);
    }
    if (!isOrdinary) {
      for (const [kind, text] of describeOddities(packet, invalidEvents)) this.#note(kind, text);
    }
    this.#packet = packet;
    this.#slot = 0;
    if (!hasPolarityEvents(packet)) {
      this.#skippedPackets += 1;
      this.#skipBytes = bodyBytesOf(packet);
    }
  }

  /** Reads or skips the open packet's events; closes it once they are all read. */
  #packetBody(window: ByteWindow, packet: PacketHeader): void {
    if (!hasPolarityEvents(packet)) {
      const skipped = Math.min(window.length, this.#skipBytes);
      window.from += skipped;
      this.#skipBytes -= skipped;
      if (this.#skipBytes === 0) this.#packet = null;
      return;
    }
    window.align();
    for (;;) {
      const there = Math.floor(window.length / EVENT_BYTES);
      const slots = Math.min(there, packet.capacity - this.#slot, BLOCK_EVENTS);
      if (slots === 0) break;
      this.#block(window.words, window.from / 4, slots, packet);
      window.from += slots * EVENT_BYTES;
      this.#slot += slots;
    }
    if (this.#slot === packet.capacity) this.#packet = null;
  }

  #ownWords(length: number): Int32Array {
    if (this.#scratch.length < length) this.#scratch = new Int32Array(length);
    return this.#scratch;
  }

  /** Passes on the events in the next `slots` slots. */
  #block(words: Int32Array, from: number, slots: number, packet: PacketHeader): void {
    const to = from + 2 * slots;
    const baseUs = packet.overflow * 2 ** 31;
    const firstUs = baseUs + words[from + 1]!;
    const regular =
      this.#trusts ||
      (firstUs >= this.#previousUs &&
        !(this.#drops && this.#slot + slots > packet.number) &&
        this.#check.isRegular(words, from, to, this.#drops));
    if (!regular) {
      this.#regular = false;
      this.#irregularBlock(words, from, to, packet);
      return;
    }
    this.#firstUs = Math.min(this.#firstUs, firstUs);
    this.#previousUs = baseUs + words[to - 1]!;
    this.#lastUs = Math.max(this.#lastUs, this.#previousUs);
    this.#pass(words, from, to, packet, true);
  }

  /** The same event by event: rejects, notes or drops what is odd, and closes the gaps. */
  #irregularBlock(words: Int32Array, from: number, to: number, packet: PacketHeader): void {
    const { sensor } = this.#options;
    const kept = this.#ownWords(to - from);
    const baseUs = packet.overflow * 2 ** 31;
    let length = 0;
    let sorted = true;
    for (let i = from; i < to; i += 2) {
      const data = words[i]!;
      let stamp = words[i + 1]! >>> 0;
      const slot = this.#slot + (i - from) / 2;
      if (this.#drops && ((data & 1) === 0 || slot >= packet.number)) {
        this.#dropped += 1;
        continue;
      }
      const byte = this.#window.offsetOf(this.#window.from) + 4 * (i - from);
      const x = data >>> 17;
      const y = (data >>> 2) & 0x7fff;
      if (x >= sensor.width || y >= sensor.height) failEvent(this.#place(byte), slot, x, y, sensor);
      if (stamp >= 2 ** 31) {
        this.#note('negative', `has a timestamp beyond the clock's 31 bits (${stamp})`);
        // A negative time to the camera. `|` with an odd overflow count does not add that bit a second time.
        if (packet.overflow % 2 === 1) stamp -= 2 ** 31;
      }
      const tUs = baseUs + stamp;
      if (tUs < this.#previousUs) {
        this.#note('backwards', `goes back in time, from ${this.#previousUs} to ${tUs} µs`, byte);
        sorted &&= length === 0;
      }
      this.#previousUs = tUs;
      if (tUs < this.#firstUs) this.#firstUs = tUs;
      if (tUs > this.#lastUs) this.#lastUs = tUs;
      kept[length++] = data;
      kept[length++] = stamp;
    }
    if (length > 0) this.#pass(kept, 0, length, packet, sorted);
  }

  #pass(words: Int32Array, from: number, to: number, packet: PacketHeader, sorted: boolean): void {
    this.#events += (to - from) / 2;
    const packetFrom = this.#packetOffset;
    const packetTo = packetFrom + PACKET_HEADER_BYTES + bodyBytesOf(packet);
    const baseUs = packet.overflow * 2 ** 31;
    this.#sink({ words, from, to, baseUs, sorted, packetFrom, packetTo });
  }

  #note(kind: string, text: string, offset = this.#packetOffset): void {
    this.#notes.add(kind, text, `packet ${this.#packets}, byte ${offset}`);
  }

  #place(byte = this.#packetOffset, packet = this.#packets): PacketPlace {
    return { file: this.#options.file, packet, byte };
  }

  #failTruncated(packet: PacketHeader, bodyOffset: number, fileBytes: number): never {
    failTruncated(this.#place(), packet.capacity, bodyBytesOf(packet), Math.max(0, fileBytes - bodyOffset));
  }
}

/** All events of a recording already in memory. Throws like `Aedat3Parser`. */
export function decodeAedat3(
  bytes: Uint8Array,
  options: ReadAedat3Options,
): { readonly events: Events; readonly summary: Aedat3Summary } {
  const buffer = new EventBuffer(Math.max(1, Math.floor(bytes.length / EVENT_BYTES)));
  const parser = new Aedat3Parser(
    { sizeBytes: bytes.length, ...options },
    eachEvent((tUs, x, y, p) => buffer.push(tUs, x, y, p)),
  );
  parser.push(bytes);
  const summary = parser.finish();
  return { events: buffer.events(), summary };
}
