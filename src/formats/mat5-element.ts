import * as compression from '../compression/inflate.ts';
import { ReproError } from '../errors.ts';
import { formatCount } from '../text.ts';

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

/** A position in a .mat file; `inside` is set within a compressed variable, and counts in its uncompressed bytes. */
interface MatPlace {
  readonly file: string;
  readonly byte: number;
  readonly inside?: number | undefined;
}

const DAMAGED = 'The file is cut off or damaged: download it again.';
const OTHER = 'The file is damaged, or not the kind of recording that is read here.';

function describePlace({ file, byte, inside }: MatPlace): string {
  return inside === undefined
    ? `${file}: byte ${byte}`
    : `${file}: byte ${inside} of the compressed variable at byte ${byte}`;
}

export function failElement(place: MatPlace, what: string, fix = DAMAGED): never {
  throw new ReproError('mat5-element', `${what}.`, { where: describePlace(place), fix });
}

function failTruncated(place: MatPlace, needed: number, there: number): never {
  throw new ReproError(
    'mat5-truncated',
    `the element here needs ${formatCount(needed, 'byte')}, but only ${there.toLocaleString('en-US')} follow.`,
    { where: describePlace(place), fix: DAMAGED },
  );
}

export function failVariable(place: MatPlace, name: string, what: string, fix = DAMAGED): never {
  throw new ReproError('mat5-variable', `variable ${JSON.stringify(name)} ${what}.`, {
    where: describePlace(place),
    fix,
  });
}

export function failTooLarge(place: MatPlace, sizeBytes: number, limitBytes: number): never {
  throw new ReproError(
    'mat5-size',
    `the variables up to here take ${formatCount(sizeBytes, 'byte')} uncompressed; at most ${formatCount(limitBytes, 'byte')} are read.`,
    { where: describePlace(place), fix: OTHER },
  );
}

export function failTooMany(place: MatPlace, mostVariables: number): never {
  throw new ReproError(
    'mat5-size',
    `the file has more than ${mostVariables.toLocaleString('en-US')} variables.`,
    { where: describePlace(place), fix: OTHER },
  );
}

/** Flags, 32 dimensions and a name of 63 letters, MATLAB's longest, take 240 bytes. */
const HEADER_BYTES = 512;
/** Enough for them when compressed, by any compressor. */
const PACKED_HEADER_BYTES = 1024;

/** The first bytes of a compressed variable, enough for its name. */
export function inflateStart(compressed: Uint8Array, place: MatPlace): Uint8Array {
  return explain(place, () =>
    compression.inflateStart(compressed, 'zlib', HEADER_BYTES, PACKED_HEADER_BYTES),
  );
}

/**
 * All of a compressed variable. Its first 8 bytes tell its size, so that no more memory is used than it claims.
 *
 * @param sizeBytes uncompressed, with those 8 bytes
 */
export function inflateAll(compressed: Uint8Array, place: MatPlace, sizeBytes: number): Uint8Array {
  if (!compression.canHold(compressed.length, sizeBytes)) {
    failElement(
      place,
      `${compressed.length} compressed bytes cannot hold the ${sizeBytes} that the variable claims`,
    );
  }
  const inflated = explain(place, () => compression.inflateWhole(compressed, 'zlib', sizeBytes));
  if (inflated === 'too long') {
    failElement(place, `the compressed variable is longer than the ${sizeBytes} bytes that it claims`);
  }
  const { bytes, used } = inflated;
  if (bytes.length < sizeBytes) failTruncated({ ...place, inside: 0 }, sizeBytes, bytes.length);
  if (used !== compressed.length) {
    failElement(place, `the variable ends after ${used} of its ${compressed.length} compressed bytes`);
  }
  return bytes;
}

function explain<T>(place: MatPlace, unpack: () => T): T {
  try {
    return unpack();
  } catch (error) {
    throw new ReproError(
      'mat5-element',
      `the compressed variable cannot be unpacked: ${error instanceof Error ? error.message : String(error)}.`,
      {
        where: describePlace(place),
        fix: 'The file is cut off or damaged: download it again.',
        cause: error,
      },
    );
  }
}
