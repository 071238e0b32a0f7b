import * as compression from '../../compression/inflate.ts';
import { ReproError } from '../../errors.ts';
import { describePlace, failElement, failTruncated, type MatPlace } from './errors.ts';

/** Flags, 32 dimensions and a name of 63 letters, MATLAB's longest, take 240 bytes. */
const HEADER_BYTES = 512;
/** Compressed; what another compressor than MATLAB's needs for them. */
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

/** zlib's errors, with the place. */
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
