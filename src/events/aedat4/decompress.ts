import { ReproError } from '../../errors.ts';
import { type Aedat4Place, failAedat4 } from './errors.ts';
import { type FrameSize, measureLz4, measureZstd } from './frame-size.ts';
import type { Aedat4Compression } from './header.ts';

/** Unpacks a packet's contents. */
export type Unpack = (bytes: Uint8Array, place: Aedat4Place) => Uint8Array;

/**
 * Cameras write a packet every few ms, far below 1 MB; this is 16 million events. It bounds the memory for one packet,
 * whatever its compressed bytes claim.
 */
const LARGEST_PACKET_BYTES = 2 ** 28;

/**
 * Loads the library for a compression only when a file needs it.
 *
 * @throws {ReproError} `aedat4-library` if it cannot be loaded on this system
 */
export async function loadUnpack(compression: Aedat4Compression): Promise<Unpack> {
  switch (compression) {
    case 'none':
      return (bytes) => bytes;
    case 'lz4': {
      const { decompressFrameSync } = await load('LZ4', () => import('lz4-napi'));
      return (bytes, place) => {
        const size = checkSize(measureLz4(bytes, place), place);
        return checkResult(
          () => decompressFrameSync(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)),
          size,
          place,
        );
      };
    }
    case 'zstd': {
      const decoder = await load('Zstandard', async () => {
        const { ZSTDDecoder } = await import('zstddec');
        const made = new ZSTDDecoder();
        await made.init();
        return made;
      });
      return (bytes, place) => {
        const size = checkSize(measureZstd(bytes, place), place);
        // The decoder gives nothing where its input is damaged.
        return checkResult(() => decoder.decode(bytes, size.exactBytes ?? size.mostBytes), size, place);
      };
    }
  }
}

/** LZ4 is compiled for the usual systems; on another, or after `npm ci --omit=optional`, it is not there. */
async function load<T>(name: string, doLoad: () => Promise<T>): Promise<T> {
  try {
    return await doLoad();
  } catch (error) {
    throw new ReproError(
      'aedat4-library',
      `the library that unpacks ${name} cannot be loaded: ${error instanceof Error ? error.message : String(error)}.`,
      {
        fix: 'Run `npm ci` again. If it still cannot be loaded, save the recording with another compression in DV.',
        cause: error,
      },
    );
  }
}

function checkSize(size: FrameSize, place: Aedat4Place): FrameSize {
  const bytes = size.exactBytes ?? size.mostBytes;
  if (bytes === 0) failAedat4('aedat4-packet', place, 'the packet unpacks to nothing');
  if (bytes > LARGEST_PACKET_BYTES) {
    failAedat4(
      'aedat4-size',
      place,
      `the packet may unpack to ${bytes} bytes; at most ${LARGEST_PACKET_BYTES} are read`,
      'No camera writes such a packet: the file is damaged.',
    );
  }
  return size;
}

function checkResult(unpack: () => Uint8Array, size: FrameSize, place: Aedat4Place): Uint8Array {
  let bytes: Uint8Array;
  try {
    bytes = unpack();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    failAedat4('aedat4-compression', place, `the packet cannot be unpacked: ${reason}`, undefined, error);
  }
  if (bytes.length === 0)
    failAedat4('aedat4-compression', place, 'the packet cannot be unpacked: its data are damaged');
  if (size.exactBytes !== null && bytes.length !== size.exactBytes) {
    failAedat4(
      'aedat4-compression',
      place,
      `the packet unpacks to ${bytes.length} bytes instead of ${size.exactBytes}`,
    );
  }
  return bytes;
}
