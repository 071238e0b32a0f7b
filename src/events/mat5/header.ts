import { ReproError } from '../../errors.ts';

export const HEADER_BYTES = 128;
const VERSION_AT = 124;
const HDF5_VERSION = 0x0200;
const MAT5_VERSION = 0x0100;

/**
 * Checks the 128 bytes at the start: text, version, and two letters that tell the byte order.
 *
 * @returns whether numbers are little-endian
 * @throws {ReproError} `mat5-header` for anything but version 5; versions 4 and 7.3 (HDF5) are named
 */
export function readByteOrder(bytes: Uint8Array, file: string): boolean {
  if (bytes.length === 0) fail(file, 'the file is empty', 'Download it again.');
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, HEADER_BYTES)).toString(
    'latin1',
  );
  if (text.startsWith('MATLAB 7.3')) failHdf5(file);
  if (text.startsWith('\x89HDF\r\n\x1a\n')) failHdf5(file);
  // MATLAB's own rule: version 5 begins with text, so a zero among the first four bytes means version 4.
  if (bytes.length >= 4 && text.slice(0, 4).includes('\0')) {
    fail(
      file,
      'this is no MATLAB 5 file; a zero among the first four bytes means version 4, or no .mat file at all',
      "In MATLAB, load it and `save` it with '-v7'.",
    );
  }
  if (!text.startsWith('MATLAB')) {
    fail(file, 'this is no MATLAB 5 file: it does not start with `MATLAB`', 'Download the file again.');
  }
  if (bytes.length < HEADER_BYTES) {
    fail(
      file,
      `the file ends after ${bytes.length} of the header's ${HEADER_BYTES} bytes`,
      'The file is cut off: download it again.',
    );
  }
  const order = text.slice(126, 128);
  if (order !== 'IM' && order !== 'MI') {
    fail(
      file,
      `bytes 126 and 127 must be \`IM\` or \`MI\`, not ${JSON.stringify(order)}`,
      'The file is damaged: download it again.',
    );
  }
  const littleEndian = order === 'IM';
  const version = new DataView(bytes.buffer, bytes.byteOffset).getUint16(VERSION_AT, littleEndian);
  if (version === HDF5_VERSION) failHdf5(file);
  if (version !== MAT5_VERSION) {
    fail(
      file,
      `the version is ${version >> 8}.${version & 0xff}, not 1.0`,
      'The file is damaged: download it again.',
    );
  }
  return littleEndian;
}

function failHdf5(file: string): never {
  fail(
    file,
    'this is a MATLAB 7.3 file (HDF5), not version 5',
    "In MATLAB, load it and `save` it with '-v7'.",
  );
}

function fail(file: string, what: string, fix: string): never {
  throw new ReproError('mat5-header', `${what}.`, { where: `${file}: header`, fix });
}
