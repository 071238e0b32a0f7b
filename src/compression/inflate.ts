import { constants, gunzipSync, inflateSync } from 'node:zlib';
import { hasErrorCode } from '../errors.ts';

/** What surrounds the deflated bytes. */
type Wrapping = 'gzip' | 'zlib';

interface Inflated {
  readonly bytes: Uint8Array;
  /** How many of the packed bytes that took. */
  readonly used: number;
}

/** Deflate cannot do better than about 1032 : 1. */
const LARGEST_RATIO = 1032;
/** So `inflateStart` unpacks at most 132 kB more than wanted. */
const STEP_BYTES = 128;

/** Whether so many packed bytes can unpack to `sizeBytes`: a larger claim is false before anything is unpacked. */
export function canHold(packedBytes: number, sizeBytes: number): boolean {
  return sizeBytes <= packedBytes * LARGEST_RATIO;
}

/**
 * Unpacks only the first bytes.
 *
 * @param wantedBytes unpacked; fewer are returned if the data end before, or are not in the first `mostPackedBytes`
 * @throws zlib's own error for damage
 */
export function inflateStart(
  packed: Uint8Array,
  wrapping: Wrapping,
  wantedBytes: number,
  mostPackedBytes: number,
): Uint8Array {
  const most = Math.min(packed.length, mostPackedBytes);
  for (let end = STEP_BYTES; ; end += STEP_BYTES) {
    const { bytes } = unpack(packed.subarray(0, Math.min(end, most)), wrapping, constants.Z_SYNC_FLUSH);
    if (bytes.length >= wantedBytes || end >= most) return bytes;
  }
}

/**
 * All of what is packed.
 *
 * @returns `too long` if that is more than `mostBytes`, found out without unpacking the rest
 * @throws zlib's own error for damage
 */
export function inflateWhole(
  packed: Uint8Array,
  wrapping: Wrapping,
  mostBytes: number,
): Inflated | 'too long' {
  try {
    // zlib takes no limit of 0.
    const inflated = unpack(packed, wrapping, constants.Z_FINISH, Math.max(1, mostBytes));
    return inflated.bytes.length > mostBytes ? 'too long' : inflated;
  } catch (error) {
    if (hasErrorCode(error, 'ERR_BUFFER_TOO_LARGE')) return 'too long';
    throw error;
  }
}

function unpack(
  packed: Uint8Array,
  wrapping: Wrapping,
  finishFlush: number,
  maxOutputLength?: number,
): Inflated {
  // With `info`, the result also has the stream, which knows how much of its input it used.
  const options = {
    finishFlush,
    info: true,
    ...(maxOutputLength === undefined ? {} : { maxOutputLength }),
  };
  return readInfo(wrapping === 'gzip' ? gunzipSync(packed, options) : inflateSync(packed, options));
}

/** What zlib returns with `info`; the published type says that it is the bytes alone. */
function readInfo(result: unknown): Inflated {
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
