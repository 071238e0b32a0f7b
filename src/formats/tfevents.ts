import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { ReproError } from '../base/errors.ts';
import { quoteName } from '../base/text.ts';

/** One point of a curve in TensorBoard. */
export interface ScalarEvent {
  readonly tag: string;
  /** A whole number; what it counts depends on the tag. */
  readonly step: number;
  /** Stored in single precision. */
  readonly value: number;
  /** Unix time. */
  readonly wallTimeSeconds: number;
}

interface EventFile {
  readonly scalars: readonly ScalarEvent[];
  /** Where a truncated last record starts in the file; null if the last record is whole. */
  readonly truncatedAt: number | null;
}

/** Field numbers of the messages in TensorBoard's event.proto and summary.proto. */
const FIELD = {
  event: { wallTime: 1, step: 2, fileVersion: 3, summary: 5 },
  summary: { value: 1 },
  value: { tag: 1, simpleValue: 2 },
} as const;

const FILE_VERSION = 'brain.Event:2';

/** The first record of an event file. */
export function encodeEventFileHeader(wallTimeSeconds: number): Uint8Array {
  return encodeTfRecord(
    encodeEvent(wallTimeSeconds, 0, (event) =>
      event.tag(FIELD.event.fileVersion, WireType.LengthDelimited).string(FILE_VERSION),
    ),
  );
}

/**
 * Records to append to an event file: one event per scalar, in the older form (`simple_value`), which PyTorch's SummaryWriter
 * also writes and every version of TensorBoard reads.
 *
 * @throws {RangeError} if a step is not a whole number
 */
export function encodeScalarEvents(events: readonly ScalarEvent[]): Uint8Array {
  return Buffer.concat(
    events.map(({ tag, step, value, wallTimeSeconds }) =>
      encodeTfRecord(
        encodeEvent(wallTimeSeconds, step, (event) => {
          event.tag(FIELD.event.summary, WireType.LengthDelimited).fork();
          event.tag(FIELD.summary.value, WireType.LengthDelimited).fork();
          event.tag(FIELD.value.tag, WireType.LengthDelimited).string(tag);
          event.tag(FIELD.value.simpleValue, WireType.Bit32).float(Math.fround(value));
          event.join().join();
        }),
      ),
    ),
  );
}

/** Omits zeros, as every protobuf writer does, so that the bytes equal TensorBoard's own. */
function encodeEvent(
  wallTimeSeconds: number,
  step: number,
  writeWhat: (event: BinaryWriter) => void,
): Uint8Array {
  const event = new BinaryWriter();
  if (wallTimeSeconds !== 0) event.tag(FIELD.event.wallTime, WireType.Bit64).double(wallTimeSeconds);
  if (step !== 0) event.tag(FIELD.event.step, WireType.Varint).int64(step);
  writeWhat(event);
  return event.finish();
}

/**
 * Reads the scalars of an event file in the older form (`simple_value`), which PyTorch writes. Skips everything else.
 *
 * @param file its name, for errors
 * @throws {ReproError} `tfrecord-invalid` if a checksum is wrong, `tfevents-invalid` if a record is not an event
 * @see https://github.com/tensorflow/tensorboard/tree/master/tensorboard/compat/proto
 */
export function decodeEventFile(bytes: Uint8Array, file: string): EventFile {
  const { records, truncatedAt } = decodeTfRecords(bytes, file);
  const scalars: ScalarEvent[] = [];
  for (const { offset, data } of records) {
    const event = readEvent(data, `${file}, record at byte ${offset}`);
    if (offset === 0 && !/^brain\.Event:\d+$/.test(event.fileVersion ?? '')) {
      const found = event.fileVersion === undefined ? 'no version' : quoteName(event.fileVersion);
      refuse(
        file,
        `This is not a TensorBoard event file: expected the version "${FILE_VERSION}" in its first record, found ${found}.`,
      );
    }
    const { wallTimeSeconds, step } = event;
    for (const { tag, value } of event.values) scalars.push({ tag, step, value, wallTimeSeconds });
  }
  return { scalars, truncatedAt };
}

function refuse(file: string, message: string, cause?: unknown): never {
  throw new ReproError('tfevents-invalid', message, {
    where: file,
    fix: 'Use a file that TensorBoard reads (events.out.tfevents.…), or copy it again from where it was written.',
    cause,
  });
}

interface Event {
  wallTimeSeconds: number;
  step: number;
  fileVersion: string | undefined;
  readonly values: { readonly tag: string; readonly value: number }[];
}

function readEvent(bytes: Uint8Array, where: string): Event {
  const event: Event = { wallTimeSeconds: 0, step: 0, fileVersion: undefined, values: [] };
  const readSummary = (bytes: Uint8Array) =>
    readMessage(bytes, {
      [FIELD.summary.value]: [
        WireType.LengthDelimited,
        (from) => {
          const value = readValue(from.bytes());
          if (value !== null) event.values.push(value);
        },
      ],
    });
  try {
    readMessage(bytes, {
      [FIELD.event.wallTime]: [WireType.Bit64, (from) => (event.wallTimeSeconds = from.double())],
      [FIELD.event.step]: [WireType.Varint, (from) => (event.step = toStep(from.int64()))],
      [FIELD.event.fileVersion]: [
        WireType.LengthDelimited,
        (from) => (event.fileVersion = from.string(true)),
      ],
      [FIELD.event.summary]: [WireType.LengthDelimited, (from) => readSummary(from.bytes())],
    });
  } catch (cause) {
    refuse(where, `This record is not an event: ${String(cause)}.`, cause);
  }
  return event;
}

/** Null if it is not a scalar in the older form. */
function readValue(bytes: Uint8Array): { tag: string; value: number } | null {
  const found: { tag: string; value?: number } = { tag: '' };
  readMessage(bytes, {
    [FIELD.value.tag]: [WireType.LengthDelimited, (from) => (found.tag = from.string(true))],
    [FIELD.value.simpleValue]: [WireType.Bit32, (from) => (found.value = from.float())],
  });
  const { tag, value } = found;
  return value === undefined ? null : { tag, value };
}

function toStep(value: bigint | string): number {
  const step = Number(value);
  if (!Number.isSafeInteger(step)) throw new RangeError(`its step is ${value}, beyond 2^53`);
  return step;
}

type FieldReaders = Readonly<Record<number, readonly [WireType, (from: BinaryReader) => unknown]>>;

/** Reads a message field by field, skipping unknown fields. The library rejects anything that reaches beyond the bytes. */
function readMessage(bytes: Uint8Array, fields: FieldReaders): void {
  const from = new BinaryReader(bytes);
  while (from.pos < from.len) {
    const [field, wireType] = from.tag();
    const [expected, read] = fields[field] ?? [];
    if (read !== undefined && wireType === expected) read(from);
    else from.skip(wireType, field);
  }
}

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
