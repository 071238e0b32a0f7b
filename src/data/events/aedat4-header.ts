import { latin1Text, shortenText } from '../../base/text.ts';
import { type Aedat4Place, FlatTable, failAedat4 } from './aedat4-table.ts';
import { explainMagic } from './reader-warnings.ts';

export type Aedat4Compression = 'lz4' | 'none' | 'zstd';

interface Aedat4Header {
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
/** Fields of the flatbuffer, in the order of its schema. */
const [COMPRESSION, TABLE_POSITION, INFO_NODE] = [0, 1, 2];

/**
 * Reads the line of the version and the flatbuffer IOHeader.
 *
 * @throws {ReproError} `aedat4-header` for another magic or version, or damage; `aedat4-truncated` if the file ends in the
 *   header, or before the table of contents that the header refers to
 */
export function readHeader(bytes: Uint8Array, file: string): Aedat4Header {
  const place: Aedat4Place = { file, packet: 0, byte: 0 };
  if (latin1Text(bytes.subarray(0, MAGIC.length)) !== MAGIC) {
    const { what, fix } = explainMagic(bytes, '4.0');
    failAedat4('aedat4-header', place, what, fix);
  }
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
  const table = new FlatTable(bytes.subarray(MAGIC.length, packetsAt), 'IOHE', start);
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
  const info = table.text(INFO_NODE);
  if (info === null) failAedat4('aedat4-header', start, 'the information about the streams is missing');
  return {
    compression,
    streams: readStreams(info, start),
    packetsAt,
    packetsEnd: position === -1 ? bytes.length : position,
  };
}

/** A stream that the recording's information lists. */
export interface Aedat4Stream {
  readonly id: number;
  /** Four letters: `EVTS` events, `FRME` frames, `IMUS` motion, `TRIG` triggers. */
  readonly type: string;
  /** `events` for a camera's own; empty if unknown. */
  readonly name: string;
  /** Pixels; null where the stream has none. */
  readonly width: number | null;
  readonly height: number | null;
}

/**
 * What the information consists of: `<node name="0" …>`, perhaps closed at once, `</node>`, `<attr key="sizeX" …>8</attr>`. Other tags
 * tell nothing. From the first letter of a tag on only, so that this takes linear time.
 */
const TOKEN = /<(\/?)(node|attr)\b([^<>]*)>([^<]*)/g;
/** Of a name in a message. */
const SHOWN_LETTERS = 41;

/**
 * The streams in the information that DV writes into the header: XML of `<node name>` with `<attr key>value</attr>`.
 * Below the node `outInfo` each stream has a node named by its number, with `typeIdentifier`, and in its node `info`
 * `sizeX` and `sizeY`.
 *
 * @throws {ReproError} `aedat4-header` if there is no such list, or a number is not whole
 */
function readStreams(text: string, place: Aedat4Place): Aedat4Stream[] {
  const open: string[] = [];
  let isThere = false;
  /** By stream; keys are `typeIdentifier`, `info/sizeX` and so on. */
  const streams = new Map<string, Map<string, string>>();
  for (const [, close, tag, words = '', value = ''] of text.matchAll(TOKEN)) {
    const [list, stream, ...below] = open;
    if (tag === 'attr') {
      const key = /\bkey=["']([^"']*)["']/.exec(words)?.[1] ?? '';
      if (close === '' && list === 'outInfo') {
        streams.get(stream ?? '')?.set([...below, key].join('/'), value.trim());
      }
    } else if (close === '/') open.pop();
    else {
      const name = /\bname=["']([^"']*)["']/.exec(words)?.[1] ?? '';
      isThere ||= open.length === 0 && name === 'outInfo';
      if (list === 'outInfo' && stream === undefined) {
        if (streams.has(name))
          failAedat4('aedat4-header', place, `the information lists stream ${name} twice`);
        streams.set(name, new Map());
      }
      if (!words.endsWith('/')) open.push(name);
    }
  }
  if (!isThere) {
    failAedat4('aedat4-header', place, 'the information has no `outInfo`, the list of streams');
  }
  if (open.length > 0) failAedat4('aedat4-header', place, 'the information has a node that is not closed');
  return [...streams].map(([name, attributes]): Aedat4Stream => {
    const id = readNumber(name, 'a stream', place);
    const size = (key: string): number | null => {
      const value = attributes.get(`info/${key}`);
      return value === undefined ? null : readNumber(value, `${key} of stream ${id}`, place);
    };
    return {
      id,
      type: shortenText(attributes.get('typeIdentifier') ?? '', SHOWN_LETTERS),
      name: shortenText(attributes.get('originalOutputName') ?? '', SHOWN_LETTERS),
      width: size('sizeX'),
      height: size('sizeY'),
    };
  });
}

function readNumber(text: string, what: string, place: Aedat4Place): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  const shown = JSON.stringify(shortenText(text, SHOWN_LETTERS));
  return failAedat4('aedat4-header', place, `${what} must be a whole number, not ${shown}`);
}
