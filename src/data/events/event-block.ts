import type { EventAddon } from '../../network/addon/event-functions.ts';
import type { Sensor } from './events.ts';

/**
 * Events of a recording in the words of its file, two per event: data (bit 0 valid, bit 1 polarity, bits 2-16 y,
 * bits 17-31 x), then the timestamp. Whole blocks of words are an order of magnitude faster than a call per event.
 *
 * Only valid until the receiver returns: the memory is used again.
 */
export interface EventBlock {
  /** Signed, because V8 keeps such numbers in registers; a timestamp is `word >>> 0`. */
  readonly words: Int32Array;
  /** How many of them are the block's. */
  readonly length: number;
  /** Time of an event: `baseUs` plus its timestamp, µs. */
  readonly baseUs: number;
  /** No event is earlier than the one before it in the block. */
  readonly sorted: boolean;
  /** Where the packet that contains the block starts and ends in the file, bytes. */
  readonly packetFrom: number;
  readonly packetTo: number;
}

export type BlockSink = (block: EventBlock) => void;

/** Time of the event whose first word is `words[at]`, µs. */
export function timeAt({ words, baseUs }: EventBlock, at: number): number {
  return baseUs + (words[at + 1]! >>> 0);
}

/** In a sorted block, the first word of the first event between `from` and `to` that is not before `tUs`; `to` if all are. */
export function findTime(block: EventBlock, from: number, to: number, tUs: number): number {
  const { words } = block;
  const stamp = tUs - block.baseUs;
  let low = from >> 1;
  let high = to >> 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (words[2 * middle + 1]! >>> 0 < stamp) low = middle + 1;
    else high = middle;
  }
  return 2 * low;
}

/** Words of so few events that calling the addon takes longer than it saves. */
export const FEW_WORDS = 128;

/**
 * Whether a block of events needs no closer look: all pixels are on the sensor, all timestamps are below 2^31 and none is smaller than the one
 * before it.
 *
 * @param length words of the block
 * @param allValid whether the validity bits must be set, too
 * @param addon takes a third of the time
 */
export function isRegular(
  words: Int32Array,
  length: number,
  { height, width }: Sensor,
  allValid: boolean,
  addon: EventAddon | null,
): boolean {
  const [lastColumn, lastRow] = [width - 1, height - 1];
  if (addon !== null && length >= FEW_WORDS) {
    return addon.areRegular(words, 0, length, lastColumn, lastRow, allValid);
  }
  let commonBits = -1;
  // Bit 31 of a timestamp, or of a difference where the second number is larger.
  let signs = 0;
  let previous = 0;
  for (let i = 0; i < length; i += 2) {
    const data = words[i]!;
    const stamp = words[i + 1]!;
    commonBits &= data;
    signs |= stamp | ((stamp - previous) | 0);
    signs |= (lastColumn - (data >>> 17)) | (lastRow - ((data >>> 2) & 0x7fff));
    previous = stamp;
  }
  return signs >= 0 && !(allValid && (commonBits & 1) === 0);
}
