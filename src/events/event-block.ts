/**
 * Events of a recording in the words of its file, two per event: data (bit 0 valid, bit 1 polarity, bits 2-16 y,
 * bits 17-31 x), then the timestamp. Whole blocks of words are an order of magnitude faster than a call per event.
 *
 * Only valid until the receiver returns: the memory is used again.
 */
export interface EventBlock {
  /** Signed, because V8 keeps such numbers in registers; a timestamp is `word >>> 0`. */
  readonly words: Int32Array;
  /** Index of the first word, and of the one after the last. */
  readonly from: number;
  readonly to: number;
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
  // Blocks start at even words or all at odd ones; halving drops that bit.
  const odd = from & 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (words[2 * middle + odd + 1]! >>> 0 < stamp) low = middle + 1;
    else high = middle;
  }
  return 2 * low + odd;
}
