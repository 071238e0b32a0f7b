import { ReproError } from '../errors.ts';
import { type Aedat2Address, DAVIS_ADDRESS, DVS128_ADDRESS } from './aedat2-address.ts';

/** The lines that start with `#`. */
export interface Aedat2Header {
  /** Those after the magic, without `#` and line ends. */
  readonly lines: readonly string[];
  /** Up to the first event. */
  readonly sizeBytes: number;
}

const MAGIC = '#!AER-DAT2.0\r\n';
/** jAER's newer files close the header with this line; older ones, CIFAR10-DVS among them, just go on with events. */
const END_LINE = 'End Of ASCII Header';
/** jAER may keep a whole dump of the camera's settings in the header. */
const LARGEST_HEADER_BYTES = 2 ** 20;
const HASH = 0x23;
const LINE_FEED = 0x0a;

/** @throws {ReproError} `aedat2-header` for another magic, version or line end, or a line without an end */
export function readAedat2Header(bytes: Uint8Array, file: string): Aedat2Header {
  const start = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, LARGEST_HEADER_BYTES));
  const text = start.toString('latin1', 0, MAGIC.length);
  if (text !== MAGIC) failMagic(bytes, text, file);
  const lines: string[] = [];
  let at = MAGIC.length;
  while (at < bytes.length && bytes[at] === HASH) {
    const end = start.indexOf(LINE_FEED, at) + 1;
    if (end === 0)
      fail(file, at, 'a header line has no end', 'The file is cut off or damaged: download it again.');
    const line = start.toString('latin1', at + 1, end).trimEnd();
    at = end;
    if (line === END_LINE) break;
    lines.push(line);
  }
  return { lines, sizeBytes: at };
}

/**
 * Where the addresses of jAER's recording hold x, y and polarity, by the class of camera that its header names, as in
 * `# AEChip: ch.unizh.ini.jaer.chip.retina.DVS128`; null for an unknown one, or if it names none, as in old recordings.
 */
export function addressOfCamera({ lines }: Aedat2Header): Aedat2Address | null {
  const camera =
    lines.map((line) => /^\s*AEChip:\s*(\S+)/.exec(line)?.[1]).find((name) => name !== undefined) ?? '';
  if (/DVS128|Tmpdiff128/i.test(camera)) return DVS128_ADDRESS;
  // SBRet10 is what the DAVIS240 was called first.
  return /DAVIS|SBRet/i.test(camera) ? DAVIS_ADDRESS : null;
}

function failMagic(bytes: Uint8Array, text: string, file: string): never {
  if (bytes.length === 0) fail(file, 0, 'the file is empty', 'Download it again.');
  const version = /^#!AER-DAT(\d+\.\d)/.exec(text)?.[1];
  if (version === '2.0') {
    fail(
      file,
      0,
      'the first line does not end in CR LF',
      'The file was probably changed by a text-mode transfer, or cut off: download it again in binary mode.',
    );
  }
  if (version !== undefined) {
    fail(file, 0, `this is AEDAT ${version}, not 2.0`, 'Get the file that the data set is published with.');
  }
  const found = Buffer.from(bytes.subarray(0, 8))
    .toString('hex')
    .replace(/(..)(?=.)/g, '$1 ');
  fail(
    file,
    0,
    `this is not an AEDAT 2.0 file: it starts with the bytes ${found}, not with \`#!AER-DAT2.0\``,
    bytes[0] === 0x50 && bytes[1] === 0x4b
      ? 'It is a zip archive: unpack it first.'
      : 'Download the file again.',
  );
}

function fail(file: string, offset: number, what: string, fix: string): never {
  throw new ReproError('aedat2-header', `${what}.`, { where: `${file}: header, byte ${offset}`, fix });
}
