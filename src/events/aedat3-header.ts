import { ReproError } from '../errors.ts';
import { latin1Text } from '../text.ts';
import { explainMagic } from './reader-warnings.ts';

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
  const text = latin1Text(bytes.subarray(0, LARGEST_HEADER_BYTES));
  if (!text.startsWith(MAGIC)) {
    if (!ended && MAGIC.startsWith(text)) return null;
    const { what, fix } = explainMagic(bytes, '3.1');
    fail(file, 0, what, fix);
  }
  let at = MAGIC.length;
  const lines: string[] = [];
  for (;;) {
    const end = text.indexOf('\n', at);
    if (end === -1) {
      if (!ended && text.length < LARGEST_HEADER_BYTES && (at === text.length || text[at] === '#'))
        return null;
      return fail(file, at, 'the header has no end line `#!END-HEADER`');
    }
    const line = text.slice(at, end + 1);
    if (line === END) return { lines, sizeBytes: end + 1 };
    if (!line.startsWith('#')) {
      fail(file, at, 'a header line does not start with `#` and no `#!END-HEADER` came before it');
    }
    lines.push(line.slice(1).trimEnd());
    at = end + 1;
  }
}

function fail(
  file: string,
  offset: number,
  what: string,
  fix = 'The file is cut off or damaged: download it again.',
): never {
  throw new ReproError('aedat-header', `${what}.`, { where: `${file}: header, byte ${offset}`, fix });
}
