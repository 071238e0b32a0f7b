import { inflateSync, constants as zlib } from 'node:zlib';
import { hasErrorCode, ReproError } from '../../errors.ts';
import { describePlace, failElement, failTruncated, type MatPlace } from './errors.ts';

/** Deflate cannot do better than about 1032 : 1, so a larger claim is false before anything is unpacked. */
const LARGEST_RATIO = 1032;
const TAG_BYTES = 8;

/** The first bytes of a compressed variable, enough for its name: about `compressedBytes` · 1032 at most. */
export function inflateStart(compressed: Uint8Array, place: MatPlace, compressedBytes: number): Uint8Array {
  return unpack(compressed.subarray(0, compressedBytes), place, zlib.Z_SYNC_FLUSH, undefined).bytes;
}

/**
 * All of a compressed variable. Its first 8 bytes tell its size, so that no more memory is used than it claims.
 *
 * @param sizeBytes uncompressed, with those 8 bytes
 */
export function inflateAll(compressed: Uint8Array, place: MatPlace, sizeBytes: number): Uint8Array {
  if (sizeBytes > compressed.length * LARGEST_RATIO + TAG_BYTES) {
    failElement(
      place,
      `${compressed.length} compressed bytes cannot hold the ${sizeBytes} that the variable claims`,
    );
  }
  const { bytes, used } = unpack(compressed, place, zlib.Z_FINISH, sizeBytes);
  if (bytes.length < sizeBytes) failTruncated({ ...place, inside: 0 }, sizeBytes, bytes.length);
  if (used !== compressed.length) {
    failElement(place, `the variable ends after ${used} of its ${compressed.length} compressed bytes`);
  }
  return bytes;
}

function unpack(
  compressed: Uint8Array,
  place: MatPlace,
  finishFlush: number,
  maxOutputLength: number | undefined,
): { readonly bytes: Uint8Array; readonly used: number } {
  try {
    // With `info`, the result also has the stream, which knows how much of its input it used.
    const result: unknown = inflateSync(compressed, {
      finishFlush,
      info: true,
      ...(maxOutputLength === undefined ? {} : { maxOutputLength: Math.max(1, maxOutputLength) }),
    });
    return readInfo(result);
  } catch (error) {
    if (hasErrorCode(error, 'ERR_BUFFER_TOO_LARGE')) {
      failElement(
        place,
        `the compressed variable is longer than the ${maxOutputLength} bytes that it claims`,
      );
    }
    if (error instanceof ReproError) throw error;
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

function readInfo(result: unknown): { readonly bytes: Uint8Array; readonly used: number } {
  if (typeof result === 'object' && result !== null && 'buffer' in result && 'engine' in result) {
    const { buffer, engine } = result;
    if (
      buffer instanceof Uint8Array &&
      typeof engine === 'object' &&
      engine !== null &&
      'bytesWritten' in engine &&
      typeof engine.bytesWritten === 'number'
    ) {
      return { bytes: buffer, used: engine.bytesWritten };
    }
  }
  throw new TypeError('zlib did not return its result and its stream');
}
