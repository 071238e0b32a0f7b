/** Bytes looked at at once: small enough that every pass over them stays in the processor's second-level cache. */
const WINDOW_BYTES = 1 << 17;

/**
 * The part of a file that a parser looks at, as bytes and as words. It is either memory of its own, through which the file is passed
 * piece by piece, or a view of memory that holds the file anyway.
 */
export class ByteWindow {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** `words[i]` is at byte 4 · i. */
  readonly words: Int32Array;
  /** The bytes `from <= index < to` are not read yet. */
  from = 0;
  to = 0;
  readonly #mayMove: boolean;
  /** Position of the window's first byte in the file. */
  #offset: number;

  private constructor(memory: Uint8Array, offset: number, mayMove: boolean) {
    this.bytes = memory;
    this.view = new DataView(memory.buffer, memory.byteOffset, memory.byteLength);
    this.words = new Int32Array(memory.buffer, memory.byteOffset, memory.byteLength >> 2);
    this.#offset = offset;
    this.#mayMove = mayMove;
  }

  /** For the bytes from `offset` on, to be appended. */
  static passing(offset: number): ByteWindow {
    return new ByteWindow(new Uint8Array(WINDOW_BYTES), offset, true);
  }

  /** Of bytes in memory, which are left as they are; the first one is at `offset` in the file. */
  static over(memory: Uint8Array, offset: number): ByteWindow {
    const skip = memory.byteOffset % 4;
    const start = memory.byteOffset - skip;
    const window = new ByteWindow(
      new Uint8Array(memory.buffer, start, memory.byteLength + skip),
      offset - skip,
      false,
    );
    window.from = skip;
    window.to = skip;
    return window;
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

  /** Moves the unread bytes to a multiple of 4. @returns whether they are at one now: memory of others is not touched */
  align(): boolean {
    const over = this.from % 4;
    if (over === 0) return true;
    if (this.#mayMove) this.#moveTo(this.from - over);
    return this.#mayMove;
  }

  #moveTo(place: number): void {
    if (place === this.from) return;
    this.bytes.copyWithin(place, this.from, this.to);
    this.#offset += this.from - place;
    this.to -= this.from - place;
    this.from = place;
  }
}
