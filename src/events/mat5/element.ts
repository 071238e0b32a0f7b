import { failElement, failTruncated, type MatPlace } from './errors.ts';

/** Bytes of a .mat file or of one uncompressed variable, and where they are, for messages. */
export interface MatBytes {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly littleEndian: boolean;
  readonly file: string;
  /** Byte of the compressed variable in the file; undefined for the file itself. */
  readonly compressedAt?: number | undefined;
}

/** One data element: its type, and where its data are. */
export interface MatElement {
  readonly type: number;
  /** Of the tag. */
  readonly at: number;
  readonly start: number;
  readonly sizeBytes: number;
  /** Of the next element: data are padded to 8 bytes, except compressed ones. */
  readonly next: number;
}

export const INT8 = 1;
export const INT32 = 5;
export const UINT32 = 6;
export const MATRIX = 14;
export const COMPRESSED = 15;
export const UTF8 = 16;

const TAG_BYTES = 8;
const SMALL_BYTES = 4;

export function openBytes(
  bytes: Uint8Array,
  littleEndian: boolean,
  file: string,
  compressedAt?: number,
): MatBytes {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return { bytes, view, littleEndian, file, compressedAt };
}

export function placeIn(source: MatBytes, at: number): MatPlace {
  return source.compressedAt === undefined
    ? { file: source.file, byte: at }
    : { file: source.file, byte: source.compressedAt, inside: at };
}

/**
 * Reads the tag at `at`: type and size as two u32, or for at most 4 bytes of data both in one u32, its upper half the size.
 *
 * @param end the element must lie before this byte; padding that would reach beyond it may be missing. It may be beyond
 *   the bytes themselves where only the start of a compressed variable is there.
 */
export function readElement(source: MatBytes, at: number, end: number): MatElement {
  const place = placeIn(source, at);
  const there = Math.max(0, Math.min(end, source.bytes.length) - at);
  if (there < TAG_BYTES) failTruncated(place, TAG_BYTES, there);
  const first = source.view.getUint32(at, source.littleEndian);
  const smallBytes = first >>> 16;
  if (smallBytes > 0) {
    if (smallBytes > SMALL_BYTES)
      failElement(place, `a small element has at most 4 bytes, not ${smallBytes}`);
    return { type: first & 0xffff, at, start: at + 4, sizeBytes: smallBytes, next: at + TAG_BYTES };
  }
  const sizeBytes = source.view.getUint32(at + 4, source.littleEndian);
  const start = at + TAG_BYTES;
  if (sizeBytes > end - start) failTruncated(place, TAG_BYTES + sizeBytes, end - at);
  const paddedBytes = first === COMPRESSED ? sizeBytes : Math.ceil(sizeBytes / 8) * 8;
  return { type: first, at, start, sizeBytes, next: Math.min(end, start + paddedBytes) };
}
