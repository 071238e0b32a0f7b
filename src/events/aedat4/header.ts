import { type Aedat4Place, failAedat4 } from './errors.ts';
import { FlatTable } from './flat-table.ts';
import { type Aedat4Stream, readStreams } from './info-node.ts';

export type Aedat4Compression = 'lz4' | 'none' | 'zstd';

export interface Aedat4Header {
  readonly compression: Aedat4Compression;
  readonly streams: readonly Aedat4Stream[];
  /** Where the first packet starts. */
  readonly packetsAt: number;
  /** Where the packets end: at the table of contents if there is one, or else with the file. */
  readonly packetsEnd: number;
}

const MAGIC = '#!AER-DAT4.0\r\n';
/** The format's numbers: LZ4 and ZSTD each have a setting `HIGH`, which unpacks alike. */
const COMPRESSIONS: readonly Aedat4Compression[] = ['none', 'lz4', 'lz4', 'zstd', 'zstd'];
/** DV writes some thousand letters, and some hundred thousand if it keeps all settings of a project. */
const LARGEST_INFO_BYTES = 2 ** 22;
/** Fields of the flatbuffer, in the order of its schema. */
const [COMPRESSION, TABLE_POSITION, INFO_NODE] = [0, 1, 2];

/**
 * Reads the line of the version and the flatbuffer IOHeader.
 *
 * @throws {ReproError} `aedat4-header` for another magic or version, or damage; `aedat4-truncated` if the file ends in the
 *   header, or before the table of contents that the header refers to; `aedat4-size` for more information than is read
 */
export function readHeader(bytes: Uint8Array, file: string): Aedat4Header {
  const place: Aedat4Place = { file, packet: 0, byte: 0 };
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, MAGIC.length)).toString(
    'latin1',
  );
  if (text !== MAGIC) failMagic(bytes, text, place);
  const start = { ...place, byte: MAGIC.length };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const there = bytes.length - MAGIC.length - 4;
  const sizeBytes = there < 0 ? 4 : view.getUint32(MAGIC.length, true);
  if (sizeBytes > there) {
    failAedat4(
      'aedat4-truncated',
      start,
      `the header needs ${sizeBytes} bytes, but ${Math.max(0, there)} follow`,
    );
  }
  const packetsAt = MAGIC.length + 4 + sizeBytes;
  const table = FlatTable.open(bytes.subarray(MAGIC.length, packetsAt), 'IOHE', start);
  const compression = COMPRESSIONS[table.int32(COMPRESSION, 0)];
  if (compression === undefined) {
    failAedat4('aedat4-header', start, `compression ${table.int32(COMPRESSION, 0)} is unknown; 0 to 4 are`);
  }
  const position = table.int64(TABLE_POSITION, -1);
  if (position >= 0 && position > bytes.length) {
    failAedat4(
      'aedat4-truncated',
      start,
      `the header says that packets follow up to byte ${position}, but the file ends at ${bytes.length}`,
    );
  }
  if (position < -1 || (position >= 0 && position < packetsAt)) {
    failAedat4('aedat4-header', start, `the table of contents cannot be at byte ${position}`);
  }
  const info = table.text(INFO_NODE, LARGEST_INFO_BYTES);
  if (info === null) failAedat4('aedat4-header', start, 'the information about the streams is missing');
  return {
    compression,
    streams: readStreams(info, start),
    packetsAt,
    packetsEnd: position === -1 ? bytes.length : position,
  };
}

function failMagic(bytes: Uint8Array, text: string, place: Aedat4Place): never {
  if (bytes.length === 0) failAedat4('aedat4-header', place, 'the file is empty');
  const version = /^#!AER-DAT(\d\.\d)/.exec(text)?.[1];
  if (version === '4.0') {
    failAedat4(
      'aedat4-header',
      place,
      'the first line does not end in CR LF',
      'The file was probably changed by a text-mode transfer, or cut off: copy it again in binary mode.',
    );
  }
  if (version !== undefined)
    failAedat4('aedat4-header', place, `this is AEDAT ${version}, not 4.0`, 'Use its own reader.');
  const found = Buffer.from(bytes.subarray(0, 8))
    .toString('hex')
    .replace(/(..)(?=.)/g, '$1 ');
  failAedat4(
    'aedat4-header',
    place,
    `this is not an AEDAT 4 file: it starts with the bytes ${found}, not with \`#!AER-DAT4.0\``,
    'Use a recording that DV or dv-processing wrote.',
  );
}
