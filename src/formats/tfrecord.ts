import { ReproError } from '../errors.ts';

/** u64 length of the data, u32 checksum of those eight bytes. */
const HEADER_BYTES = 12;
/** u32 checksum of the data. */
const FOOTER_BYTES = 4;
const MASK_DELTA = 0xa282ead8;

interface TfRecord {
  /** Where the record starts in the file. */
  readonly offset: number;
  /** A view of the file's bytes, not a copy. */
  readonly data: Uint8Array;
}

interface TfRecordFile {
  readonly records: readonly TfRecord[];
  /** Where a truncated last record starts; null if the last record is whole. */
  readonly truncatedAt: number | null;
}

/**
 * A checksum as TFRecord stores it: rotated right by 15 bits plus a constant, modulo 2^32, so that records inside a record do
 * not give it a degenerate checksum.
 */
function maskChecksum(checksum: number): number {
  return (((checksum >>> 15) | (checksum << 17)) + MASK_DELTA) >>> 0;
}

/** One record: u64 length, its masked CRC-32C, the data, their masked CRC-32C, all little-endian. */
export function encodeTfRecord(data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + data.length + FOOTER_BYTES);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, maskChecksum(computeCrc32c(bytes.subarray(0, 8))), true);
  bytes.set(data, HEADER_BYTES);
  view.setUint32(HEADER_BYTES + data.length, maskChecksum(computeCrc32c(data)), true);
  return bytes;
}

/**
 * Splits a file into its records. A file that ends inside a record, because it is still being written or its writer was
 * stopped, gives the whole records before that. Claimed lengths reserve no memory.
 *
 * @param file its name, for errors
 * @throws {ReproError} `tfrecord-invalid` if a checksum does not match its bytes
 * @see https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details
 */
export function decodeTfRecords(bytes: Uint8Array, file: string): TfRecordFile {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const records: TfRecord[] = [];
  const check = (start: number, end: number, what: string, record: number): void => {
    const stored = view.getUint32(end, true);
    const computed = maskChecksum(computeCrc32c(bytes.subarray(start, end)));
    if (stored === computed) return;
    throw new ReproError(
      'tfrecord-invalid',
      record === 0 && start === 0
        ? 'This is not a TFRecord file: expected a length and its checksum at the start.'
        : `Bytes ${start} to ${end - 1}, the ${what} of the record at byte ${record}, are damaged: expected the checksum ${hex(stored)}, found ${hex(computed)}.`,
      { where: file, fix: 'Copy the file again from where it was written.' },
    );
  };

  let offset = 0;
  while (offset < bytes.length) {
    const dataStart = offset + HEADER_BYTES;
    if (dataStart > bytes.length) return { records, truncatedAt: offset };
    check(offset, offset + 8, 'length', offset);
    const length = view.getBigUint64(offset, true);
    if (length > BigInt(bytes.length - dataStart - FOOTER_BYTES)) return { records, truncatedAt: offset };
    const dataEnd = dataStart + Number(length);
    check(dataStart, dataEnd, 'data', offset);
    records.push({ offset, data: bytes.subarray(dataStart, dataEnd) });
    offset = dataEnd + FOOTER_BYTES;
  }
  return { records, truncatedAt: null };
}

function hex(checksum: number): string {
  return `0x${checksum.toString(16).padStart(8, '0')}`;
}

/** Castagnoli's polynomial, bits reversed. */
const POLYNOMIAL = 0x82f63b78;

/** The remainder of each byte after dividing its eight bits. */
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte;
  for (let bit = 0; bit < 8; bit++) remainder = (remainder >>> 1) ^ (remainder & 1 ? POLYNOMIAL : 0);
  return remainder;
});

/**
 * The CRC-32C (Castagnoli) checksum of some bytes, from 0 to 2^32 − 1. The CRC-32 of zip and gzip uses another polynomial.
 *
 * @see RFC 3720, appendix B.4
 */
export function computeCrc32c(bytes: Uint8Array): number {
  let remainder = 0xffff_ffff;
  for (const byte of bytes) remainder = (remainder >>> 8) ^ (TABLE[(remainder ^ byte) & 0xff] ?? 0);
  return (remainder ^ 0xffff_ffff) >>> 0;
}
