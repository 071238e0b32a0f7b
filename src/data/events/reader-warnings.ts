import { latin1Text } from '../../base/text.ts';

/** Why a recording does not start with the line of its version, `#!AER-DAT3.1` CR LF, and what to do about it. */
export function explainMagic(
  bytes: Uint8Array,
  version: '2.0' | '3.1' | '4.0',
): { readonly what: string; readonly fix: string } {
  const found = /^#!AER-DAT(\d\.\d)/.exec(latin1Text(bytes.subarray(0, 16)))?.[1];
  if (bytes.length === 0) return { what: 'the file is empty', fix: 'Download or copy it again.' };
  if (found === version) {
    const fix =
      'The file was probably changed by a text-mode transfer, or cut off: copy it again in binary mode.';
    return { what: 'the first line does not end in CR LF', fix };
  }
  if (found !== undefined) {
    return {
      what: `this is AEDAT ${found}, not ${version}`,
      fix: `Get or record the file as AEDAT ${version}.`,
    };
  }
  const hex = Array.from(bytes.subarray(0, 8), (byte) => byte.toString(16).padStart(2, '0')).join(' ');
  const isPacked = /^(?:50 4b|1f 8b)/.test(hex);
  return {
    what: `this is not an AEDAT ${version} file: it starts with the bytes ${hex}, not with \`#!AER-DAT${version}\``,
    fix: isPacked ? 'It is an archive or compressed: unpack it first.' : 'Download or copy it again.',
  };
}

interface Note {
  readonly text: string;
  readonly where: string | undefined;
  times: number;
}

/** Collects the accepted oddities of one recording by kind: the first place of each, and how often it occurs. */
export class ReaderNotes {
  readonly #file: string;
  readonly #notes = new Map<string, Note>();

  constructor(file: string) {
    this.#file = file;
  }

  add(kind: string, text: string, where?: string): void {
    const note = this.#notes.get(kind);
    if (note === undefined) this.#notes.set(kind, { text, where, times: 1 });
    else note.times += 1;
  }

  addBackwards(where: string): void {
    this.add('backwards', 'goes back in time', where);
  }

  /** A recording that is one clip has no events. */
  addBlank(): void {
    this.add('empty', 'contains no events: its clip is blank');
  }

  /** One for each kind, in the order in which they first occurred. */
  sentences(): string[] {
    return [...this.#notes.values()].map(({ text, where, times }) => {
      const place = where === undefined ? this.#file : `${this.#file}: ${where}`;
      const more = times === 1 ? '' : ` (the first of ${times.toLocaleString('en-US')} such places)`;
      return `${place}  ${text}${more}.`;
    });
  }
}
