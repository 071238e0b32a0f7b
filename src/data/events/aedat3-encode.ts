import type { Events } from './events.ts';

interface EncodeAedat3Options {
  /** Maximum events per packet; the camera's software writes a few thousand. */
  readonly packetEvents?: number;
  /** Additional header lines in plain ASCII, each without `#` and line end. */
  readonly comments?: readonly string[];
}

const PACKET_HEADER_BYTES = 28;
const EVENT_BYTES = 8;
const CLOCK_PERIOD_US = 2 ** 31;
/** A clock would make every file different. */
const START_TIME = 'Start-Time: 1970-01-01 00:00:00 (TZ+0000)';

/**
 * Writes events as an AEDAT 3.1 file: the text header, then polarity packets of up to `packetEvents` events.
 * A packet ends early where the camera's 31-bit clock overflows, since the overflow count belongs to the packet.
 *
 * @param events with x and y below 2^15
 * @see libcaer's `caer_event_packet_header` and `caer_polarity_event`
 */
export function encodeAedat3(events: Events, options: EncodeAedat3Options = {}): Uint8Array {
  const { packetEvents = 4096, comments = [] } = options;
  const header = encodeHeader(['Format: RAW', 'Source 1: DVS128', START_TIME, ...comments]);
  const starts = packetStarts(events, packetEvents);
  const bytes = new Uint8Array(
    header.length + starts.length * PACKET_HEADER_BYTES + events.tUs.length * EVENT_BYTES,
  );
  bytes.set(header);
  const view = new DataView(bytes.buffer);
  let offset = header.length;
  for (const [packet, from] of starts.entries()) {
    const to = starts[packet + 1] ?? events.tUs.length;
    offset = writePacket(view, offset, events, from, to);
  }
  return bytes;
}

function encodeHeader(lines: readonly string[]): Uint8Array {
  const text = ['#!AER-DAT3.1', ...lines.map((line) => `#${line}`), '#!END-HEADER', ''].join('\r\n');
  return new TextEncoder().encode(text);
}

/** Index of each packet's first event: after `packetEvents` events, or where the 31-bit clock's overflow count changes. */
function packetStarts(events: Events, packetEvents: number): number[] {
  const starts: number[] = [];
  let overflow = Number.NaN;
  for (let i = 0; i < events.tUs.length; i++) {
    const own = Math.floor(events.tUs[i]! / CLOCK_PERIOD_US);
    if (own !== overflow || i - starts.at(-1)! >= packetEvents) starts.push(i);
    overflow = own;
  }
  return starts;
}

function writePacket(view: DataView, at: number, events: Events, from: number, to: number): number {
  const count = to - from;
  let offset = at + PACKET_HEADER_BYTES;
  for (let i = from; i < to; i++) {
    const [tUs, x, y, p] = [events.tUs[i]!, events.x[i]!, events.y[i]!, events.p[i]!];
    view.setUint32(offset, ((x << 17) | (y << 2) | (p << 1) | 1) >>> 0, true);
    view.setUint32(offset + 4, tUs % CLOCK_PERIOD_US, true);
    offset += EVENT_BYTES;
  }
  view.setUint16(at, 1, true);
  view.setUint16(at + 2, 1, true);
  view.setUint32(at + 4, EVENT_BYTES, true);
  view.setUint32(at + 8, 4, true);
  view.setUint32(at + 12, Math.floor(events.tUs[from]! / CLOCK_PERIOD_US), true);
  view.setUint32(at + 16, count, true);
  view.setUint32(at + 20, count, true);
  view.setUint32(at + 24, count, true);
  return offset;
}
