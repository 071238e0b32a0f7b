/** ` (the first of 3 such places)`, or nothing for a single one. */
function countPlaces(times: number): string {
  return times === 1 ? '' : ` (the first of ${times.toLocaleString('en-US')} such places)`;
}

/** A warning about something odd in a recording that is accepted: where it is first, and how often it occurs. */
export function warnOf(where: string, what: string, times: number): string {
  return `${where}  ${what}${countPlaces(times)}.`;
}

export function warnOfBlank(file: string): string {
  return `${file}  contains no events: its clip is blank.`;
}

/** The first 8 bytes of a file, `23 21 41 45`, for the message that it is of another kind. */
export function showFirstBytes(bytes: Uint8Array): string {
  return [...bytes.subarray(0, 8)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
}

interface Note {
  readonly text: string;
  readonly where: string | undefined;
  times: number;
}

/** Collects the oddities of one recording by kind: the first place of each, and how often it occurs. */
export class ReaderNotes {
  readonly #file: string;
  readonly #notes = new Map<string, Note>();

  constructor(file: string) {
    this.#file = file;
  }

  has(kind: string): boolean {
    return this.#notes.has(kind);
  }

  add(kind: string, text: string, where?: string): void {
    const note = this.#notes.get(kind);
    if (note === undefined) this.#notes.set(kind, { text, where, times: 1 });
    else note.times += 1;
  }

  sentences(): string[] {
    return [...this.#notes.values()].map(({ text, where, times }) =>
      warnOf(where === undefined ? this.#file : `${this.#file}: ${where}`, text, times),
    );
  }
}
