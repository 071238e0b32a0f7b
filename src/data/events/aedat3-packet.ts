import { ReproError } from '../../base/errors.ts';
import { formatCount, latin1Text } from '../../base/text.ts';
import type { Sensor } from './events.ts';
import { explainMagic } from './reader-warnings.ts';

export const PACKET_HEADER_BYTES = 28;
export const EVENT_BYTES = 8;

export interface PacketHeader {
  readonly type: number;
  readonly eventSizeBytes: number;
  /** Position of the time in an event, bytes. */
  readonly timeOffset: number;
  readonly overflow: number;
  /** Events that follow, filled or not. */
  readonly capacity: number;
  readonly number: number;
  readonly valid: number;
}

const POLARITY = 1;
/** The last of libcaer's own packet types; those from 100 up are user-defined. */
const LARGEST_KNOWN_TYPE = 13;
const FIRST_USER_TYPE = 100;
/** The largest count for which every time, even with a 32-bit clock, is exact in a double (< 2^53 µs). */
const LARGEST_OVERFLOW = 2 ** 22 - 1;

export function readPacketHeader(view: DataView, at: number): PacketHeader {
  return {
    type: view.getUint16(at, true),
    eventSizeBytes: view.getUint32(at + 4, true),
    timeOffset: view.getUint32(at + 8, true),
    overflow: view.getUint32(at + 12, true),
    capacity: view.getUint32(at + 16, true),
    number: view.getUint32(at + 20, true),
    valid: view.getUint32(at + 24, true),
  };
}

export function bodyBytesOf({ capacity, eventSizeBytes }: PacketHeader): number {
  return capacity * eventSizeBytes;
}

/** Whether it contains events of pixels; the others are skipped. */
export function hasPolarityEvents({ type }: PacketHeader): boolean {
  return type === POLARITY;
}

/** @throws {ReproError} `aedat-packet` if it cannot be what a camera wrote */
export function checkPacket(packet: PacketHeader, place: PacketPlace): void {
  const polarity = hasPolarityEvents(packet);
  if (polarity && (packet.eventSizeBytes !== EVENT_BYTES || packet.timeOffset !== 4)) {
    failPacket(
      place,
      `a polarity event has ${EVENT_BYTES} bytes with its time at byte 4, not ` +
        `${packet.eventSizeBytes} bytes with its time at byte ${packet.timeOffset}`,
    );
  }
  if (packet.number > packet.capacity) {
    failPacket(place, `it has more events (${packet.number}) than its capacity (${packet.capacity})`);
  }
  if (polarity && packet.overflow > LARGEST_OVERFLOW) {
    failPacket(
      place,
      `its clock overflowed ${packet.overflow} times; more than ${LARGEST_OVERFLOW} is impossible`,
    );
  }
}

/** Whether `checkPacket` and `describeOddities` find nothing, as in nearly all packets. */
export function isOrdinaryPacket(packet: PacketHeader): boolean {
  return (
    packet.type === POLARITY &&
    packet.eventSizeBytes === EVENT_BYTES &&
    packet.timeOffset === 4 &&
    packet.overflow <= LARGEST_OVERFLOW &&
    packet.number === packet.capacity &&
    packet.valid <= packet.number
  );
}

/** What is accepted but odd: its kind, and a sentence about it. */
export function describeOddities(
  packet: PacketHeader,
  invalidEvents: 'keep' | 'drop',
): (readonly [kind: string, text: string])[] {
  const notes: [string, string][] = [];
  if (hasPolarityEvents(packet) && packet.number < packet.capacity) {
    const use = invalidEvents === 'drop' ? 'empty slots are left out' : 'all slots are read';
    notes.push(['capacity', `has room for more events than it contains; ${use}`]);
  }
  if (packet.valid > packet.number) notes.push(['valid', 'counts more valid events than events']);
  if (packet.type > LARGEST_KNOWN_TYPE && packet.type < FIRST_USER_TYPE) {
    notes.push(['type', `is of the unknown kind ${packet.type} and is skipped`]);
  }
  return notes;
}

/** A position in a recording; packets count from 1. */
export interface PacketPlace {
  readonly file: string;
  readonly packet: number;
  readonly byte: number;
}

function failPacket(place: PacketPlace, what: string): never {
  fail('aedat-packet', place, `the packet's header is invalid: ${what}.`);
}

export function failEvent(place: PacketPlace, slot: number, x: number, y: number, sensor: Sensor): never {
  const outside = `outside the sensor's ${sensor.width} x ${sensor.height} pixels`;
  fail('aedat-event', place, `event ${slot} of the packet is at x ${x}, y ${y}, ${outside}.`);
}

/** @param neededBytes size of the packet's events @param thereBytes how much of them the file contains */
export function failTruncated(
  place: PacketPlace,
  events: number,
  neededBytes: number,
  thereBytes: number,
): never {
  const needed = `the packet's ${formatCount(events, 'event')} need ${formatCount(neededBytes, 'byte')}`;
  const there = `but the file ends after ${thereBytes.toLocaleString('en-US')} of them`;
  fail('aedat-truncated', place, `${needed}, ${there}.`);
}

export function failTrailing(place: PacketPlace, leftBytes: number): never {
  fail('aedat-truncated', place, `${formatCount(leftBytes, 'byte')} left over; a packet's header has 28.`);
}

function fail(code: string, { file, packet, byte }: PacketPlace, message: string): never {
  throw new ReproError(code, message, {
    where: `${file}: packet ${packet}, byte ${byte}`,
    fix: 'The file is cut off, damaged here, or of a different camera: download it again.',
  });
}

const MAGIC = '#!AER-DAT3.1\r\n';
const END = '#!END-HEADER\r\n';
const LARGEST_HEADER_BYTES = 16_384;

/**
 * Reads the text header at the start of a recording.
 *
 * @returns its size in bytes, up to and including the end line
 * @throws {ReproError} `aedat-header` for a different magic or version, a line without `#`, or a missing end line
 */
export function skipHeader(bytes: Uint8Array, file: string): number {
  const text = latin1Text(bytes.subarray(0, LARGEST_HEADER_BYTES));
  if (!text.startsWith(MAGIC)) {
    const { what, fix } = explainMagic(bytes, '3.1');
    failHeader(file, 0, what, fix);
  }
  let at = MAGIC.length;
  for (;;) {
    const end = text.indexOf('\n', at);
    if (end === -1) failHeader(file, at, 'the header has no end line `#!END-HEADER`');
    const line = text.slice(at, end + 1);
    if (line === END) return end + 1;
    if (!line.startsWith('#')) {
      failHeader(file, at, 'a header line does not start with `#` and no `#!END-HEADER` came before it');
    }
    at = end + 1;
  }
}

function failHeader(
  file: string,
  offset: number,
  what: string,
  fix = 'The file is cut off or damaged: download it again.',
): never {
  throw new ReproError('aedat-header', `${what}.`, { where: `${file}: header, byte ${offset}`, fix });
}
