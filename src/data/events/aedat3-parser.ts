import type { EventAddon } from '../../network/addon/event-functions.ts';
import {
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
  readPacketHeader,
  skipHeader,
} from './aedat3-packet.ts';
import { eachEvent } from './clips.ts';
import { type BlockSink, isRegular } from './event-block.ts';
import type { Sensor } from './events.ts';
import { EventBuffer, type Events } from './events.ts';
import { ReaderNotes } from './reader-warnings.ts';

export interface ReadAedat3Options {
  /** Name for messages. */
  readonly file: string;
  readonly sensor: Sensor;
  /** Events whose validity bit is 0: the original keeps them, other readers drop them. */
  readonly invalidEvents?: 'keep' | 'drop';
  /** What checks and counts events; null, the default, for TypeScript, which also runs in browsers. */
  readonly addon?: EventAddon | null;
}

/** What a recording contains besides its events. */
export interface Aedat3Summary {
  readonly packets: number;
  /** Events passed on. */
  readonly events: number;
  /** Smallest and largest time, µs; null without events. */
  readonly firstUs: number | null;
  readonly lastUs: number | null;
  /** Irregularities that the original accepts: one sentence each, with packet and byte offset. */
  readonly warnings: readonly string[];
}

/** Events looked at at once: so few that every pass over a copy of them stays in the processor's second-level cache. */
const BLOCK_EVENTS = 1 << 14;

/**
 * Reads an AEDAT 3.1 recording and passes on its polarity events in file order, in blocks.
 *
 * Like the original, it reads all `eventCapacity` slots of a packet, uses `t = timestamp | eventTSOverflow << 31`, and
 * keeps events whose validity bit is 0 unless `invalidEvents` is `drop` (which also leaves out the slots beyond
 * `eventNumber`). A file cut off exactly between two packets cannot be distinguished from a shorter recording.
 *
 * @throws {ReproError} `aedat-header`, `aedat-packet`, `aedat-event` or `aedat-truncated`, with file, packet and byte offset
 */
export function readAedat3(bytes: Uint8Array, options: ReadAedat3Options, sink: BlockSink): Aedat3Summary {
  const reader = new PacketReader(bytes, options, sink);
  reader.read(skipHeader(bytes, options.file), bytes.length);
  return reader.summarise();
}

/** Passes on the events of the packets between two bytes of a recording that has been read before. */
export function readPacketsAgain(
  bytes: Uint8Array,
  { fromByte, toByte }: { readonly fromByte: number; readonly toByte: number },
  options: ReadAedat3Options,
  sink: BlockSink,
): void {
  new PacketReader(bytes, options, sink).read(fromByte, toByte);
}

/** A block without anything odd is passed on as it is in the file. Only others are looked at event by event. */
class PacketReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #options: ReadAedat3Options;
  readonly #drops: boolean;
  readonly #sink: BlockSink;
  readonly #notes: ReaderNotes;
  /** A copy of the block: its events may be at any byte of the file. */
  readonly #words = new Int32Array(2 * BLOCK_EVENTS);
  /** For what is kept of irregular blocks. */
  readonly #kept = new Int32Array(2 * BLOCK_EVENTS);
  #packetOffset = 0;
  #packets = 0;
  #events = 0;
  #firstUs = Number.POSITIVE_INFINITY;
  #lastUs = Number.NEGATIVE_INFINITY;
  #previousUs = Number.NEGATIVE_INFINITY;

  constructor(bytes: Uint8Array, options: ReadAedat3Options, sink: BlockSink) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#options = options;
    this.#drops = options.invalidEvents === 'drop';
    this.#sink = sink;
    this.#notes = new ReaderNotes(options.file);
  }

  /** Reads the packets between two bytes of the file. */
  read(from: number, to: number): void {
    for (let at = from; at < to; ) {
      this.#packetOffset = at;
      this.#packets += 1;
      if (to - at < PACKET_HEADER_BYTES) failTrailing(this.#place(), to - at);
      const packet = readPacketHeader(this.#view, at);
      const isOrdinary = isOrdinaryPacket(packet);
      if (!isOrdinary) checkPacket(packet, this.#place());
      const bodyAt = at + PACKET_HEADER_BYTES;
      const bodyBytes = bodyBytesOf(packet);
      if (bodyBytes > to - bodyAt) failTruncated(this.#place(), packet.capacity, bodyBytes, to - bodyAt);
      if (!isOrdinary) {
        const { invalidEvents = 'keep' } = this.#options;
        for (const [kind, text] of describeOddities(packet, invalidEvents)) this.#note(kind, text);
      }
      if (hasPolarityEvents(packet)) this.#readBody(bodyAt, packet);
      at = bodyAt + bodyBytes;
    }
  }

  summarise(): Aedat3Summary {
    if (this.#events === 0) this.#notes.add('empty', 'contains no polarity events');
    return {
      packets: this.#packets,
      events: this.#events,
      firstUs: this.#events === 0 ? null : this.#firstUs,
      lastUs: this.#events === 0 ? null : this.#lastUs,
      warnings: this.#notes.sentences(),
    };
  }

  #readBody(bodyAt: number, packet: PacketHeader): void {
    const copy = new Uint8Array(this.#words.buffer);
    for (let slot = 0; slot < packet.capacity; slot += BLOCK_EVENTS) {
      const slots = Math.min(packet.capacity - slot, BLOCK_EVENTS);
      const at = bodyAt + slot * EVENT_BYTES;
      copy.set(this.#bytes.subarray(at, at + slots * EVENT_BYTES));
      this.#readBlock(slot, slots, at, packet);
    }
  }

  /** Passes on the events in `slots` slots from `slot` on, whose words have been copied. */
  #readBlock(slot: number, slots: number, at: number, packet: PacketHeader): void {
    const words = this.#words;
    const to = 2 * slots;
    const baseUs = packet.overflow * 2 ** 31;
    const firstUs = baseUs + words[1]!;
    const { sensor, addon = null } = this.#options;
    const regular =
      firstUs >= this.#previousUs &&
      !(this.#drops && slot + slots > packet.number) &&
      isRegular(words, to, sensor, this.#drops, addon);
    if (!regular) {
      this.#readIrregular(slot, slots, at, packet);
      return;
    }
    this.#firstUs = Math.min(this.#firstUs, firstUs);
    this.#previousUs = baseUs + words[to - 1]!;
    this.#lastUs = Math.max(this.#lastUs, this.#previousUs);
    this.#pass(words, to, packet, true);
  }

  /** The same event by event: rejects, notes or drops what is odd, and closes the gaps. */
  #readIrregular(firstSlot: number, slots: number, at: number, packet: PacketHeader): void {
    const { sensor } = this.#options;
    const words = this.#words;
    const kept = this.#kept;
    const baseUs = packet.overflow * 2 ** 31;
    let length = 0;
    let sorted = true;
    for (let i = 0; i < 2 * slots; i += 2) {
      const data = words[i]!;
      let stamp = words[i + 1]! >>> 0;
      const slot = firstSlot + i / 2;
      if (this.#drops && ((data & 1) === 0 || slot >= packet.number)) continue;
      const byte = at + 4 * i;
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
    if (length > 0) this.#pass(kept, length, packet, sorted);
  }

  #pass(words: Int32Array, length: number, packet: PacketHeader, sorted: boolean): void {
    this.#events += length / 2;
    const packetFrom = this.#packetOffset;
    const packetTo = packetFrom + PACKET_HEADER_BYTES + bodyBytesOf(packet);
    const baseUs = packet.overflow * 2 ** 31;
    this.#sink({ words, length, baseUs, sorted, packetFrom, packetTo });
  }

  #note(kind: string, text: string, offset = this.#packetOffset): void {
    this.#notes.add(kind, text, `packet ${this.#packets}, byte ${offset}`);
  }

  #place(byte = this.#packetOffset): PacketPlace {
    return { file: this.#options.file, packet: this.#packets, byte };
  }
}

/** All events of a recording. Throws like `readAedat3`. */
export function decodeAedat3(
  bytes: Uint8Array,
  options: ReadAedat3Options,
): { readonly events: Events; readonly summary: Aedat3Summary } {
  const buffer = new EventBuffer(Math.max(1, Math.floor(bytes.length / EVENT_BYTES)));
  const summary = readAedat3(
    bytes,
    options,
    eachEvent((tUs, x, y, p) => buffer.push(tUs, x, y, p)),
  );
  return { events: buffer.events(), summary };
}
