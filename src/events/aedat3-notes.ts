interface Note {
  readonly text: string;
  readonly where: string | undefined;
  times: number;
}

/** Collects accepted irregularities of one recording: the first place of each kind, and how often it occurred. */
export class Aedat3Notes {
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
    return [...this.#notes.values()].map(({ text, where, times }) => {
      const place = where === undefined ? this.#file : `${this.#file}: ${where}`;
      const often = times === 1 ? '' : ` (the first of ${times.toLocaleString('en-US')} such places)`;
      return `${place}  ${text}${often}.`;
    });
  }
}
