/** Bytes looked at at once: small enough that every pass over them stays in the processor's second-level cache. */
const WINDOW_BYTES = 1 << 17;

/** The part of a file that a parser looks at, as bytes and as words: memory through which the file is passed piece by piece. */
export class ByteWindow {
  readonly bytes = new Uint8Array(WINDOW_BYTES);
  readonly view = new DataView(this.bytes.buffer);
  /** `words[i]` is at byte 4 · i. */
  readonly words = new Int32Array(this.bytes.buffer);
  /** The bytes `from <= index < to` are not read yet. */
  from = 0;
  to = 0;
  /** Position of the window's first byte in the file. */
  #offset: number;

  constructor(offset: number) {
    this.#offset = offset;
  }

  get length(): number {
    return this.to - this.from;
  }

  /** Position of an unread byte in the file. */
  offsetOf(index: number): number {
    return this.#offset + index;
  }

  /** Takes as much of `chunk` from `at` on as there is room for. @returns how much that is */
  append(chunk: Uint8Array, at: number): number {
    // Words keep their places relative to multiples of 4.
    this.#moveTo(this.from % 4);
    const taken = Math.min(chunk.length - at, this.bytes.length - this.to);
    this.bytes.set(chunk.subarray(at, at + taken), this.to);
    this.to += taken;
    return taken;
  }

  /** Moves the unread bytes to a multiple of 4. */
  align(): void {
    this.#moveTo(this.from - (this.from % 4));
  }

  #moveTo(place: number): void {
    if (place === this.from) return;
    this.bytes.copyWithin(place, this.from, this.to);
    this.#offset += this.from - place;
    this.to -= this.from - place;
    this.from = place;
  }
}
