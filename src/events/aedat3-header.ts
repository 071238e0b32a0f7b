import { ReproError } from '../errors.ts';
import { showFirstBytes } from './reader-warnings.ts';

export interface AedatHeader {
  /** Lines between magic and end, without `#` and line ends. */
  readonly lines: readonly string[];
  /** Up to and including the end line. */
  readonly sizeBytes: number;
}

const MAGIC = '#!AER-DAT3.1\r\n';
const END = '#!END-HEADER\r\n';
const LARGEST_HEADER_BYTES = 16_384;

/**
 * Reads the text header from the file's first bytes.
 *
 * @param ended whether `bytes` is the whole file
 * @returns null if the header continues beyond `bytes`
 * @throws {ReproError} `aedat-header` for a different magic or version, a line without `#`, or a missing end line
 */
export function readHeaderLines(bytes: Uint8Array, ended: boolean, file: string): AedatHeader | null {
  const text = Buffer.from(
    bytes.buffer,
    bytes.byteOffset,
    Math.min(bytes.length, LARGEST_HEADER_BYTES),
  ).toString('latin1');
  if (!text.startsWith(MAGIC)) {
    if (!ended && MAGIC.startsWith(text)) return null;
    failMagic(bytes, text, file);
  }
  let at = MAGIC.length;
  const lines: string[] = [];
  for (;;) {
    const end = text.indexOf('\n', at);
    if (end === -1) {
      if (!ended && text.length < LARGEST_HEADER_BYTES && (at === text.length || text[at] === '#'))
        return null;
      return fail(
        file,
        at,
        'the header has no end line `#!END-HEADER`',
        'The file is cut off or damaged: download it again.',
      );
    }
    const line = text.slice(at, end + 1);
    if (line === END) return { lines, sizeBytes: end + 1 };
    if (!line.startsWith('#')) {
      fail(
        file,
        at,
        'a header line does not start with `#` and no `#!END-HEADER` came before it',
        'The file is damaged: download it again.',
      );
    }
    lines.push(line.slice(1).trimEnd());
    at = end + 1;
  }
}

function failMagic(bytes: Uint8Array, text: string, file: string): never {
  const version = /^#!AER-DAT([\d.]+)/.exec(text)?.[1];
  const refuse: (what: string, fix: string) => never = (what, fix) => fail(file, 0, what, fix);
  if (bytes.length === 0) refuse('the file is empty', 'Download it again.');
  if (version === '3.1') {
    refuse(
      'the first line does not end in CR LF',
      'The file was probably changed by a text-mode transfer: download it again in binary mode.',
    );
  }
  if (version !== undefined) {
    refuse(
      `this is AEDAT ${version}; only 3.1 is supported`,
      'Convert it to AEDAT 3.1, or get the original file.',
    );
  }
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
  refuse(
    `this is not an AEDAT 3.1 file: it starts with the bytes ${showFirstBytes(bytes)}, not with \`#!AER-DAT3.1\``,
    isGzip ? 'It is gzip-compressed: unpack it first.' : 'Download the file again.',
  );
}

function fail(file: string, offset: number, what: string, fix: string): never {
  throw new ReproError('aedat-header', `${what}.`, { where: `${file}: header, byte ${offset}`, fix });
}
