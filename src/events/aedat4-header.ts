import { shortenText } from '../text.ts';
import { type Aedat4Place, failAedat4 } from './aedat4-errors.ts';
import { FlatTable } from './aedat4-table.ts';
import { showFirstBytes } from './reader-warnings.ts';

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
  const refuse: (what: string, fix?: string) => never = (what, fix) =>
    failAedat4('aedat4-header', place, what, fix);
  if (bytes.length === 0) refuse('the file is empty');
  const version = /^#!AER-DAT(\d\.\d)/.exec(text)?.[1];
  if (version === '4.0') {
    refuse(
      'the first line does not end in CR LF',
      'The file was probably changed by a text-mode transfer, or cut off: copy it again in binary mode.',
    );
  }
  if (version !== undefined) refuse(`this is AEDAT ${version}, not 4.0`, 'Use its own reader.');
  refuse(
    `this is not an AEDAT 4 file: it starts with the bytes ${showFirstBytes(bytes)}, not with \`#!AER-DAT4.0\``,
    'Use a recording that DV or dv-processing wrote.',
  );
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

interface Node {
  readonly name: string;
  readonly attributes: Map<string, string>;
  readonly children: Node[];
}

/** A tag, or the text up to the next one. The two alternatives exclude each other, so this takes linear time. */
const TOKEN = /<([^<>]*)>|([^<]+)/g;
/** From the first letter of a name on only: from each of its letters, a long name without a value would take quadratic time. */
const ATTRIBUTE = /(?<![\w:.-])([\w:.-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g;
/** A camera has four, and a large DV project some dozens. */
const MOST_STREAMS = 1000;
/** Of a name in a message. */
const SHOWN_LETTERS = 41;
const ENTITIES = new Map([
  ['amp', '&'],
  ['lt', '<'],
  ['gt', '>'],
  ['quot', '"'],
  ['apos', "'"],
]);

/**
 * The streams in the information that DV writes into the header: XML of `<node name>` with `<attr key>value</attr>`.
 * Below the node `outInfo` each stream has a node named by its number, with `typeIdentifier`, and in its node `info`
 * `sizeX` and `sizeY`.
 *
 * @throws {ReproError} `aedat4-header` if it is not such XML, or a number is not whole; `aedat4-size` for more than
 *   1,000 streams
 */
function readStreams(text: string, place: Aedat4Place): Aedat4Stream[] {
  const root = parseNodes(text, place);
  const out = findNode(root, 'dv')?.children.find(({ name }) => name === 'outInfo');
  if (out === undefined)
    failAedat4('aedat4-header', place, 'the information has no `outInfo`, the list of streams');
  if (out.children.length > MOST_STREAMS) {
    const [found, most] = [out.children.length, MOST_STREAMS].map((count) => count.toLocaleString('en-US'));
    failAedat4('aedat4-size', place, `the information lists ${found} streams; at most ${most} are read`);
  }
  const streams = out.children.map((node): Aedat4Stream => {
    const id = readNumber(node.name, 'a stream', place);
    const info = node.children.find(({ name }) => name === 'info')?.attributes;
    const size = (key: string): number | null => {
      const value = info?.get(key);
      return value === undefined ? null : readNumber(value, `${key} of stream ${id}`, place);
    };
    return {
      id,
      type: shortenText(node.attributes.get('typeIdentifier') ?? '', SHOWN_LETTERS),
      name: shortenText(node.attributes.get('originalOutputName') ?? '', SHOWN_LETTERS),
      width: size('sizeX'),
      height: size('sizeY'),
    };
  });
  const seen = new Set<number>();
  for (const { id } of streams) {
    if (seen.has(id)) failAedat4('aedat4-header', place, `the information lists stream ${id} twice`);
    seen.add(id);
  }
  return streams;
}

function findNode(root: Node, name: string): Node | undefined {
  return root.children.find((node) => node.name === name);
}

function readNumber(text: string, what: string, place: Aedat4Place): number {
  if (!/^\d{1,9}$/.test(text.trim())) {
    failAedat4(
      'aedat4-header',
      place,
      `${what} must be a whole number, not ${JSON.stringify(shortenText(text, SHOWN_LETTERS))}`,
    );
  }
  return Number(text);
}

/** The tree of nodes, in a root without a name. A `dv` element counts as a node of that name. */
function parseNodes(text: string, place: Aedat4Place): Node {
  const root: Node = { name: '', attributes: new Map(), children: [] };
  const open: { readonly tag: string; readonly node: Node; readonly key: string | null }[] = [];
  let at = 0;
  let value = '';
  for (const match of text.matchAll(TOKEN)) {
    if (match.index !== at) break;
    at += match[0].length;
    const [, tag, words] = match;
    if (words !== undefined) {
      value += words;
      continue;
    }
    if (tag === undefined || /^[?!]/.test(tag)) continue;
    const name = /^\/?\s*([\w:.-]*)/.exec(tag)?.[1] ?? '';
    const parent = open.at(-1);
    if (tag.startsWith('/')) {
      if (parent?.tag !== name)
        failXml(place, match.index, `</${shortenText(name, SHOWN_LETTERS)}> closes nothing`);
      if (parent.key !== null) parent.node.attributes.set(parent.key, decodeEntities(value));
      open.pop();
      value = '';
      continue;
    }
    const own = new Map(
      [...tag.matchAll(ATTRIBUTE)].map(([, key = '', a, b]) => [key, decodeEntities(a ?? b ?? '')]),
    );
    const within = parent?.node ?? root;
    const isAttr = name === 'attr';
    const node = isAttr ? within : { name: own.get('name') ?? name, attributes: new Map(), children: [] };
    if (!isAttr) within.children.push(node);
    if (!tag.endsWith('/')) open.push({ tag: name, node, key: isAttr ? (own.get('key') ?? '') : null });
    value = '';
  }
  const last = open.at(-1);
  if (last !== undefined) failXml(place, at, `<${shortenText(last.tag, SHOWN_LETTERS)}> is not closed`);
  if (at !== text.length) failXml(place, at, 'this is not XML');
  return root;
}

function decodeEntities(text: string): string {
  return text.replace(/&(\w+);/g, (all, name: string) => ENTITIES.get(name) ?? all);
}

function failXml(place: Aedat4Place, at: number, what: string): never {
  failAedat4(
    'aedat4-header',
    place,
    `the information about the recording is damaged at its letter ${at}: ${what}`,
  );
}
